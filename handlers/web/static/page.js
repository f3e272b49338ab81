// The page lives by this script alone: it sends the page's own forms in the background and puts in place the
// HTML that the server draws. Without it every form and link still works.
"use strict";

const body = document.body;
const log = document.querySelector(".log");
const entries = document.querySelector(".entries");
const busy = document.querySelector(".busy");
const busyWords = document.querySelector(".busy-words");
const begun = document.querySelector(".begun");
const problem = document.querySelector(".problem");
const words = document.querySelector("#words");
const moving = document.querySelector(".moving");
const sheet = document.querySelector("[data-sheet]");

function toPerson() {
  const row = document.querySelector(".people ul");
  const current = row.querySelector("[aria-current]");
  if (current) row.scrollLeft = current.parentElement.offsetLeft - (row.clientWidth - current.offsetWidth) / 2;
}

function toLatest() {
  const last = entries.lastElementChild;
  const roomy = last && last.offsetHeight > log.clientHeight - 80;
  // A long message is shown from its beginning, anything else to its end.
  log.scrollTop = roomy ? last.offsetTop - log.offsetTop - 16 : log.scrollHeight;
}

function hint() {
  const last = [...entries.children].pop();
  words.placeholder = last?.querySelector("[data-hint]")?.textContent || "Write to Stagecoach";
}

function markPast() {
  const said = [...entries.querySelectorAll(".entry.said")].pop();
  if (!said) return;
  for (const entry of entries.children) {
    if (entry === said) break;
    entry.classList.add("past");
  }
}

function showBusy(yes, doing) {
  const words = yes ? doing || "Stagecoach is writing" : "";
  busy.toggleAttribute("data-idle", !yes);
  if (busyWords.textContent !== words) busyWords.textContent = words;
}

// The finished words of a reply that is being made; the reply itself takes their place.
function showBegun(html) {
  if (begun.dataset.html === html) return;
  begun.dataset.html = html;
  begun.innerHTML = html;
  begun.hidden = !html;
  if (html) log.scrollTop = log.scrollHeight;
}

function tell(sentence) {
  problem.textContent = sentence;
}

// Sending

async function post(form, submitter) {
  const data = new FormData(form, submitter);
  data.set("key", crypto.randomUUID());
  // The same key goes out again, so that a repeat after a lost answer is stored once.
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(data),
        headers: { Accept: "application/json" },
      });
      if (response.ok) return "";
      const answer = await response.json().catch(() => ({}));
      return answer.problem || "That did not work. Please try again.";
    } catch {
      if (attempt === 2) return "Stagecoach can't be reached at the moment. Your message is still here: please try again.";
      await new Promise((resolve) => setTimeout(resolve, 400 * (attempt + 1)));
    }
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-send], [data-clock], [data-reset]")) return;
  event.preventDefault();
  if (form.getAttribute("aria-busy") === "true") return;
  const isComposer = form.classList.contains("composer");
  if (isComposer && !words.value.trim()) return;
  form.setAttribute("aria-busy", "true");
  tell("");
  if (!form.matches("[data-send]")) moving.textContent = form.matches("[data-clock]") ? "Moving the clock ..." : "Starting again ...";
  const refusal = await post(form, event.submitter);
  form.removeAttribute("aria-busy");
  moving.textContent = "";
  if (refusal) {
    tell(refusal);
    return;
  }
  if (form.matches("[data-reset]")) {
    location.assign(`/?as=${body.dataset.person}`);
    return;
  }
  if (isComposer) {
    words.value = "";
    words.focus();
  }
  const ideas = form.closest(".ideas");
  if (ideas) {
    ideas.open = false;
    words.focus();
  }
});

words.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    words.form.requestSubmit();
  }
});

// What is new

function swap(place, html) {
  // Focus and open details survive a redraw of the panel.
  const held = document.activeElement && place.contains(document.activeElement) ? document.activeElement : null;
  const mark = held && { id: held.id, name: held.name, value: held.value, text: held.textContent };
  const open = new Set([...place.querySelectorAll("details[open] > summary")].map((one) => one.textContent));
  const days = place.querySelector("#days");
  place.innerHTML = html;
  for (const summary of place.querySelectorAll("summary")) summary.parentElement.open = open.has(summary.textContent);
  if (days) place.querySelector("#days").value = days.value;
  if (!mark) return;
  const again = [...place.querySelectorAll("a, button, input, summary, [tabindex]")].find((one) =>
    mark.id ? one.id === mark.id : one.name === mark.name && one.value === mark.value && one.textContent === mark.text,
  );
  if (again) again.focus({ preventScroll: true });
}

function add(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  let added = false;
  for (const entry of [...holder.content.children]) {
    if (document.getElementById(entry.id)) continue;
    entries.append(entry);
    added = true;
  }
  if (added) {
    markPast();
    hint();
    toLatest();
    if (entries.querySelector(".said")) document.querySelector(".ideas")?.removeAttribute("open");
  }
}

function listen() {
  const source = new EventSource(`/live?as=${body.dataset.person}&after=${body.dataset.cursor}`);
  source.addEventListener("chat", (event) => {
    const news = JSON.parse(event.data);
    showBusy(news.busy, news.doing);
    showBegun(news.begun);
    if (news.html.trim()) add(news.html);
    body.dataset.cursor = event.lastEventId;
  });
  source.addEventListener("people", (event) => {
    const place = document.querySelector("[data-people]");
    const scrolled = place.querySelector("ul").scrollLeft;
    swap(place, JSON.parse(event.data).html);
    place.querySelector("ul").scrollLeft = scrolled;
  });
  source.addEventListener("inside", (event) => {
    swap(document.querySelector("[data-inside]"), JSON.parse(event.data).html);
  });
  source.addEventListener("again", () => location.reload());
  source.onopen = () => {
    body.dataset.connected = "yes";
  };
  source.onerror = () => {
    delete body.dataset.connected;
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}

// A cited passage in the sheet

document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-open-sheet]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const response = await fetch(`${link.href}&sheet=1`).catch(() => null);
  if (!response || !response.ok) {
    location.assign(link.href);
    return;
  }
  const place = sheet.querySelector("[data-sheet-body]");
  place.innerHTML = await response.text();
  sheet.showModal();
  sheet.scrollTop = 0;
  place.querySelector("mark")?.scrollIntoView({ block: "center" });
});

sheet.addEventListener("click", (event) => {
  if (event.target === sheet && event.clientX < sheet.getBoundingClientRect().left) sheet.close();
});

// Looks

const toggle = document.querySelector("[data-theme-toggle]");
const dark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : dark.matches;
}

function nameToggle() {
  toggle.textContent = isDark() ? "Light" : "Dark";
  toggle.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
}

toggle.addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  document.cookie = `theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  nameToggle();
});
dark.addEventListener("change", nameToggle);

const tabs = document.querySelector(".tabs");
tabs.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show]");
  if (!button) return;
  body.dataset.view = button.dataset.show;
  for (const one of tabs.children) one.setAttribute("aria-pressed", String(one === button));
  if (button.dataset.show === "chat") toLatest();
});

body.dataset.live = "";
tabs.hidden = false;
toggle.hidden = false;
nameToggle();
markPast();
hint();
toPerson();
toLatest();
listen();

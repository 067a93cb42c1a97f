// What a page does beyond being read: it follows the events and asks for the sections that changed,
// follows a running log, keeps relative times right, and copies commands.  Everything that it shows
// is made by the server; without it the page is the same, and stands still.

const PAUSE_MS = 300; // between two questions, however much happens ...
const PAUSE_TIMES = 5; // ... and longer when the answers are slow
const TICK_MS = 10000;
const LOG_LINES_MAX = 3000; // on the page; the whole log is a link
const LOG_TAIL_SIZE = 32 * 1024; // as the server shows it

// ---- asking for sections

const waiting = new Set();
let asking = false;

function ask(ids) {
  ids.forEach((id) => waiting.add(id));
  if (!asking && waiting.size) askNow();
}

async function askNow() {
  asking = true;
  while (waiting.size) {
    const address = new URL(location.href);
    address.hash = "";
    address.searchParams.set("fragment", [...waiting].join(","));
    waiting.clear();
    const asked = performance.now();
    try {
      const answer = await fetch(address);
      if (answer.ok) replaceSections(await answer.text());
    } catch {
      // The stream says when the daemon is back, and then everything is asked for.
    }
    const took = performance.now() - asked;
    await new Promise((done) => setTimeout(done, Math.max(PAUSE_MS, PAUSE_TIMES * took)));
  }
  asking = false;
}

const shown = new Map(); // id → what the server sent last

function replaceSections(text) {
  const holder = document.createElement("template");
  holder.innerHTML = text;
  for (const fresh of [...holder.content.children]) {
    const old = document.getElementById(fresh.id);
    const sent = fresh.outerHTML;
    if (old && shown.get(fresh.id) !== sent) replaceSection(old, fresh);
    shown.set(fresh.id, sent);
  }
  decorate(document);
  follow();
}

// The reader's place is kept: what is unfolded, scrolled and focused.
function replaceSection(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const address = focused?.getAttribute("href");
  const open = [...old.querySelectorAll("details")].map((each) => each.open);
  const scrolls = [...old.querySelectorAll(".scroll, pre")].map((each) => [
    each.scrollLeft,
    atEnd(each) ? -1 : each.scrollTop,
  ]);
  old.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((each, i) => { each.open = open[i] ?? false; });
  fresh.querySelectorAll(".scroll, pre").forEach((each, i) => {
    if (!scrolls[i]) return;
    each.scrollLeft = scrolls[i][0];
    each.scrollTop = scrolls[i][1] < 0 ? each.scrollHeight : scrolls[i][1];
  });
  if (address) fresh.querySelector(`[href="${CSS.escape(address)}"]`)?.focus();
}

// ---- the events

let stream = null;
let streamAddress = "";
let revision = Number(document.querySelector("main")?.dataset.revision);

function allSections() {
  return [...document.querySelectorAll("section[data-live]")];
}

// An event names DAGs, runs [dag, run] and tasks [dag, run, task].
function concerns(section, change) {
  const { dag, run, task } = section.dataset;
  if (change.all || !dag) return true;
  if (!run) return [...change.dags, ...[...change.runs, ...change.tasks].map(([d]) => d)]
    .includes(dag);
  const ofRun = ([d, r]) => d === dag && r === run;
  if (!task) return [...change.runs, ...change.tasks].some(ofRun);
  return change.tasks.some((name) => ofRun(name) && name[2] === task);
}

function onChange(event) {
  const change = JSON.parse(event.data);
  revision = change.revision;
  ask(allSections().filter((section) => concerns(section, change)).map((section) => section.id));
}

// What happened while nobody listened is told by the revision.
function onHello(event) {
  const told = JSON.parse(event.data).revision;
  if (told !== revision) ask(allSections().map((section) => section.id));
  revision = told;
  showAlive(true);
}

function showAlive(alive) {
  const badge = document.getElementById("alive");
  if (!badge) return;
  badge.classList.toggle("off", !alive);
  badge.textContent = alive ? "live" : "no connection: trying again";
}

// One stream a page; none while nobody looks, because browsers allow six connections to a host.
function follow() {
  const log = document.querySelector("[data-log]")?.dataset.log;
  const address = document.hidden ? ""
    : log ? `/api/events?log=${encodeURIComponent(log)}` : "/api/events";
  if (address === streamAddress) return;
  stream?.close();
  stream = null;
  streamAddress = address;
  if (!address) return;
  stream = new EventSource(address);
  stream.addEventListener("hello", onHello);
  stream.addEventListener("change", onChange);
  stream.addEventListener("log", onLog);
  stream.onerror = onStreamError;
}

// The browser connects again by itself, unless the answer was no stream at all.
function onStreamError() {
  showAlive(false);
  if (stream?.readyState !== EventSource.CLOSED) return;
  streamAddress = "";
  setTimeout(follow, TICK_MS);
}

// ---- a running log

let fetchingLog = false;

function atEnd(element) {
  return element.scrollHeight - element.scrollTop - element.clientHeight < 24;
}

function lineOf(text) {
  const span = document.createElement("span");
  const kind = /^\d\d:\d\d:\d\d\.\d{3} (info|sql|notice|out|err|error|memo) /.exec(text);
  span.className = `k-${kind ? kind[1] : "out"}`;
  span.textContent = `${text}\n`;
  return span;
}

// Whole lines only: a line is shown when its end is there.
async function onLog(event) {
  const log = document.querySelector("[data-log]");
  const size = Number(event.data);
  if (!log || fetchingLog || size === Number(log.dataset.size)) return;
  // One over its ceiling has lost its middle: what is shown begins anew, near its end.
  if (size < Number(log.dataset.size)) {
    log.replaceChildren();
    log.dataset.size = Math.max(0, size - LOG_TAIL_SIZE);
  }
  fetchingLog = true;
  try {
    const answer = await fetch(`${log.dataset.log}/log?from=${log.dataset.size}`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const end = bytes.lastIndexOf(10) + 1;
    if (answer.ok && end > 0) appendLines(log, bytes.subarray(0, end));
  } finally {
    fetchingLog = false;
  }
}

function appendLines(log, bytes) {
  const following = atEnd(log);
  const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1);
  log.append(...lines.map(lineOf));
  log.dataset.size = Number(log.dataset.size) + bytes.length;
  while (log.childElementCount > LOG_LINES_MAX) log.firstElementChild.remove();
  if (following) log.scrollTop = log.scrollHeight;
}

// ---- times

const UNITS = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];

function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const first = UNITS.findIndex(([, size]) => whole >= size);
  if (first < 0) return "0s";
  const [unit, size] = UNITS[first];
  const rest = UNITS[first + 1];
  const count = rest ? Math.floor((whole % size) / rest[1]) : 0;
  return `${Math.floor(whole / size)}${unit}${count ? ` ${count}${rest[0]}` : ""}`;
}

function tick() {
  const now = Date.now();
  for (const each of document.querySelectorAll("time[data-relative]")) {
    const seconds = (Date.parse(each.dateTime) - now) / 1000;
    each.textContent = seconds > 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`;
  }
  for (const each of document.querySelectorAll("[data-since]"))
    each.textContent = duration((now - Date.parse(each.dataset.since)) / 1000);
}

// ---- commands

function decorate(root) {
  for (const command of root.querySelectorAll(".command:not([data-copy])")) {
    const button = document.createElement("button");
    command.dataset.copy = "";
    button.className = "copy";
    button.type = "button";
    button.textContent = "copy";
    button.setAttribute("aria-label", `copy: ${command.textContent}`);
    button.addEventListener("click", () => copy(command, button));
    command.after(button);
  }
}

async function copy(command, button) {
  try {
    await navigator.clipboard.writeText(command.textContent);
    button.textContent = "copied";
  } catch {
    getSelection().selectAllChildren(command);
    button.textContent = "selected";
  }
  setTimeout(() => { button.textContent = "copy"; }, 1500);
}

// ---- the beginning

decorate(document);
for (const log of document.querySelectorAll("[data-log]")) log.scrollTop = log.scrollHeight;
follow();
setInterval(tick, TICK_MS);
document.addEventListener("visibilitychange", follow);

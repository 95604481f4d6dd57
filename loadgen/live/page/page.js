"use strict";
(() => {
const BEYOND = -1;          // a percentile that falls on an operation that failed
const KEEP = 300;           // snapshots that are drawn
const ROWS = 60;            // of a chart's table
const history = [];
let missed = 0, before = 0, ended = false;

// --- text

const byId = id => document.getElementById(id);
const count = n => Math.round(n).toLocaleString("en-US");
function digits(v) {
  const a = Math.abs(v);
  return a === 0 ? "0" : a < 9.995 ? v.toFixed(2) : a < 99.95 ? v.toFixed(1) : count(v);
}
function duration(ns) {
  if (ns === BEYOND) return "failed";
  if (ns < 999.5) return Math.round(ns) + " ns";
  if (ns < 999.5e3) return digits(ns / 1e3) + " µs";
  if (ns < 999.5e6) return digits(ns / 1e6) + " ms";
  return digits(ns / 1e9) + " s";
}
// short writes a round value for an axis: without zeros behind the point.
const short = text => text.replace(/\.(\d*?)0+(?=\D|$)/, (_, kept) => kept ? "." + kept : "");
const percent = share => (100 * share).toFixed(1) + " %";
const two = n => String(Math.floor(n)).padStart(2, "0");
const clock = s => two(s / 3600) + ":" + two(s / 60 % 60) + ":" + two(s % 60);
const timeOf = s => new Date(s.clock).toLocaleTimeString("en-GB");
function say(element, text) { if (element.textContent !== text) element.textContent = text; }

// make returns an element with attributes and children; text becomes text, never markup.
function make(name, attributes, ...children) {
  const svg = /^(svg|g|path|line|rect|circle|text|title)$/.test(name);
  const e = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
  e.append(...children);
  return e;
}

// --- tables

function fill(table, caption, heads, rows) {
  const head = make("tr", null, ...heads.map(h => make("th", { scope: "col" }, h)));
  const body = rows.map(r => make("tr", null, ...r.map((c, i) => {
    const [text, bad] = Array.isArray(c) ? c : [c, false];
    return i === 0 ? make("th", { scope: "row" }, text) : make("td", bad ? { class: "bad" } : null, text);
  })));
  table.replaceChildren(make("thead", null, head), make("tbody", null, ...body));
  if (caption) table.prepend(make("caption", null, caption));
}

// --- charts

const W = 460, H = 200, LEFT = 60, RIGHT = 12, TOP = 10, BOTTOM = 24;

// ticks returns round values from 0 to at least most.
function ticks(most) {
  if (!(most > 0)) return [0, 1];
  const raw = most / 4, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map(f => f * power).find(s => s >= raw * 0.9999);
  const out = [];
  for (let i = 0; out.length < 2 || out[out.length - 1] < most; i++) out.push(i * step);
  return out;
}

// decades returns the powers of ten around all values.
function decades(least, most) {
  const out = [];
  for (let p = Math.floor(Math.log10(least)); out.length < 2 || out[out.length - 1] < most; p++) out.push(10 ** p);
  return out;
}

// A Chart draws series over time: each a name and a function of a snapshot, which may return null.
class Chart {
  constructor(id, title, series, format, options) {
    Object.assign(this, { id, title, series, format, log: false }, options);
    this.svg = make("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", id });
    this.values = series.map(() => make("b"));
    const legend = make("ul", { class: "legend" }, ...series.map((s, i) => make("li", null,
      make("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" },
        make("line", { x1: 1, y1: 4, x2: 25, y2: 4, class: "series s" + i })),
      s.name + " ", this.values[i])));
    this.table = make("table");
    this.details = make("details", null, make("summary", null, "Table"),
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": title + ", table" }, this.table));
    this.details.addEventListener("toggle", () => this.draw());
    this.root = make("figure", { class: "card", id: "figure-" + id },
      make("figcaption", null, title), this.svg, legend, this.details);
  }

  // points are the snapshots of the load, without those whose rates are over all of it.
  points() { return history.filter(s => s.load && !s.load.over && s.load.span_s > 0); }

  draw() {
    const points = this.points();
    const rows = points.map(s => this.series.map(x => x.of(s.load)));
    const known = rows.flat().filter(v => v !== null && v !== BEYOND && (!this.log || v > 0));
    const most = Math.max(0, ...known);
    const at = this.log && known.length ? decades(Math.min(...known), most) : ticks(this.log ? 0 : most);
    const low = at[0], high = at[at.length - 1];
    const part = this.log ? v => Math.log(v / low) / Math.log(high / low) : v => (v - low) / (high - low);
    const y = v => TOP + (H - TOP - BOTTOM) * (1 - part(v));
    const now = points.length ? Date.parse(points[points.length - 1].clock) : 0;
    const past = points.length ? Math.max(10e3, now - Date.parse(points[0].clock)) : 10e3;
    const x = s => W - RIGHT - (W - LEFT - RIGHT) * (now - Date.parse(s.clock)) / past;
    const drawn = [...this.axes(at, y, past), ...this.lines(points, rows, x, y)];
    this.svg.replaceChildren(...drawn);
    const last = rows[rows.length - 1] || this.series.map(() => null);
    last.forEach((v, i) => say(this.values[i], this.text(v)));
    const latest = this.series.map((s, i) => s.name + " " + this.text(last[i])).join(", ");
    this.svg.setAttribute("aria-label", this.title + ": " + latest + ". The table has earlier values.");
    if (this.details.open) {
      fill(this.table, "Last " + ROWS + " snapshots, newest first", ["time", ...this.series.map(s => s.name)],
        points.map((s, i) => [timeOf(s), ...rows[i].map(v => this.text(v))]).slice(-ROWS).reverse());
    }
  }

  text(v) { return v === null || v === undefined ? "–" : v === BEYOND ? "failed" : this.format(v); }

  axes(at, y, past) {
    const out = [];
    for (const v of at) {
      out.push(make("line", { x1: LEFT, x2: W - RIGHT, y1: y(v), y2: y(v), class: "gridline" }));
      out.push(make("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end" }, short(this.format(v))));
    }
    const span = past >= 120e3 ? Math.round(past / 60e3) + " min ago" : Math.round(past / 1e3) + " s ago";
    out.push(make("text", { x: LEFT, y: H - 5 }, span), make("text", { x: W - RIGHT, y: H - 5, "text-anchor": "end" }, "now"));
    return out;
  }

  // lines draws each series; it has a gap where there is no value, and where a load begins anew.
  lines(points, rows, x, y) {
    return this.series.flatMap((_, i) => {
      let d = "", pen = false, alone = [];
      points.forEach((s, k) => {
        const v = rows[k][i];
        if (v === null || v === BEYOND || (this.log && v <= 0)) { pen = false; return; }
        if (k > 0 && s.load.at_s < points[k - 1].load.at_s) pen = false;
        d += `${pen ? "L" : "M"}${x(s).toFixed(1)} ${y(v).toFixed(1)}`;
        if (!pen) alone.push(make("circle", { cx: x(s), cy: y(v), r: 2, class: "dot f" + i }));
        pen = true;
      });
      return [make("path", { d, class: "series s" + i }), ...alone];
    });
  }
}

// A Levels draws the messages on each level of the tree as bars.
class Levels {
  constructor() {
    this.svg = make("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", id: "levels" });
    this.table = make("table");
    this.details = make("details", null, make("summary", null, "Table"),
      make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Messages per tree level, table" }, this.table));
    this.root = make("figure", { class: "card", id: "figure-levels" },
      make("figcaption", null, "Queries per join, by tree level"), this.svg, this.details);
  }

  draw(load) {
    const levels = load.levels, at = ticks(Math.max(...levels.map(v => v.queries_per_join), 0));
    const high = at[at.length - 1], y = v => TOP + (H - TOP - BOTTOM) * (1 - v / high);
    const slot = (W - LEFT - RIGHT) / Math.max(levels.length, 1), wide = Math.min(46, slot * 0.7);
    const name = v => v.level === 0 ? "none" : String(v.level);
    const out = at.flatMap(v => [make("line", { x1: LEFT, x2: W - RIGHT, y1: y(v), y2: y(v), class: "gridline" }),
      make("text", { x: LEFT - 6, y: y(v) + 4, "text-anchor": "end" }, short(digits(v)))]);
    levels.forEach((v, i) => {
      const mid = LEFT + slot * (i + 0.5), q = v.queries_per_join;
      out.push(make("rect", { x: mid - wide / 2, width: wide, y: y(q), height: Math.max(0, y(0) - y(q)), class: "f0" }),
        make("text", { x: mid, y: H - 5, "text-anchor": "middle" }, name(v)));
    });
    this.svg.replaceChildren(...out);
    this.svg.setAttribute("aria-label", "Queries per join by level: " +
      levels.map(v => `level ${name(v)} ${digits(v.queries_per_join)}`).join(", "));
    fill(this.table, "By level; none: receivers without a place",
      ["level", "receivers", "queries/join", "messages/s", "queries", "repair requests", "repairs"],
      levels.map(v => [name(v), count(v.receivers), digits(v.queries_per_join), digits(v.messages_per_s), count(v.queries),
        count(v.requests), count(v.repairs)]));
  }
}

const charts = new Map();
let levels = null;

// chart returns the chart of an id, and makes it if it is not there yet.
function chart(id, make) {
  if (!charts.has(id)) {
    const c = make();
    charts.set(id, c);
    byId("charts").append(c.root);
  }
  return charts.get(id);
}


// flights draws the first four kinds of operations in flight. More may come with a later phase.
function flights(load) {
  const shown = load.operations.slice(0, 4).map(o => o.kind);
  const old = charts.get("flight");
  if (old && old.series.map(s => s.name).join() === shown.join()) return;
  const fresh = new Chart("flight", "Operations in flight",
    shown.map(k => ({ name: k, of: l => l.operations.find(x => x.kind === k)?.in_flight ?? null })), count);
  charts.set("flight", fresh);
  if (old) old.root.replaceWith(fresh.root); else byId("charts").append(fresh.root);
}

function chartsOf(load) {
  for (const o of load.operations) {
    const of = f => l => { const x = l.operations.find(y => y.kind === o.kind); return x ? f(x) : null; };
    chart("rate-" + o.kind, () => new Chart("rate-" + o.kind, o.kind + ": operations per second", [
      { name: "offered", of: of(x => x.offered_per_s) }, { name: "done", of: of(x => x.done_per_s) },
      { name: "failed", of: of(x => x.failed_per_s) }], digits));
    chart("latency-" + o.kind, () => new Chart("latency-" + o.kind, o.kind + ": latency, last second", [
      { name: "p50", of: of(x => x.recent.count ? x.recent.p50_ns : null) },
      { name: "p99", of: of(x => x.recent.count ? x.recent.p99_ns : null) }], duration, { log: true }));
  }
  flights(load);
  if (!levels) { levels = new Levels(); byId("charts").append(levels.root); }
  chart("refresh", () => new Chart("refresh", "Refresh overhead", [
    { name: "per trigger and T", of: l => l.refresh.refreshes_per_trigger_and_lifetime },
    { name: "with other re-insertions", of: l => l.refresh.reinsertions_per_trigger_and_lifetime },
    { name: "acks per receiver and s", of: l => l.refresh.acks_per_receiver_and_s }], digits));
  chart("late", () => new Chart("late", "Generator: lateness and GC pauses", [
    { name: "late, p99", of: l => l.generator.late_recent_p99_ns },
    { name: "GC", of: l => l.generator.gc_pause_s * 1e9 }], duration));
  chart("cpu", () => new Chart("cpu", "Processors, generator and nodes", [
    { name: "used", of: l => l.generator.cpu }, { name: "stolen", of: l => l.generator.steal ?? null }], percent));
  chart("nodes", () => new Chart("nodes", "Nodes: packets per second", [
    { name: "read", of: l => l.nodes.packets_per_s }, { name: "copies sent", of: l => l.nodes.copies_per_s },
    { name: "dropped", of: l => l.nodes.drops_per_s }], digits));
  if (load.nodes.datagrams_in_per_s !== undefined) {
    chart("datagrams", () => new Chart("datagrams", "Datagrams per second, nodes and hosts", [
      { name: "sent", of: l => l.nodes.datagrams_out_per_s ?? null },
      { name: "read", of: l => l.nodes.datagrams_in_per_s ?? null }], digits));
  }
}

// --- the page

function operations(load) {
  const latency = (l, v) => l.count ? [duration(v), v === BEYOND] : "–";
  const when = load.over ? "Rates and percentiles over all of the load" :
    "Counts since the load began, rates and percentiles of the last second";
  say(byId("when"), when);
  fill(byId("ops"), "", ["operation", "offered", "sent", "done", "failed", "in flight", "offered/s", "sent/s", "done/s",
    "p50", "p99", "p99.9", "max", "p99 so far"],
  load.operations.map(o => [o.kind, count(o.offered), count(o.sent), count(o.done), [count(o.failed), o.failed > 0],
    count(o.in_flight), digits(o.offered_per_s), digits(o.sent_per_s), digits(o.done_per_s), latency(o.recent, o.recent.p50_ns),
    latency(o.recent, o.recent.p99_ns), latency(o.recent, o.recent.p99_9_ns), latency(o.recent, o.recent.max_ns),
    latency(o.overall, o.overall.p99_ns)]));
}

function facts(load) {
  const g = load.generator, n = load.nodes, r = load.refresh;
  const drops = Object.entries(n.drops || {}).sort().map(([cause, k]) => cause + " " + count(k)).join(", ");
  const rows = {
    "Refreshes": `${digits(r.refreshes_per_trigger_and_lifetime)} per trigger and T = ${digits(r.lifetime_s)} s, ` +
      `${digits(r.reinsertions_per_trigger_and_lifetime)} with those of joins and repairs of the tree; ` +
      `${digits(r.acks_per_receiver_and_s)} acknowledgements per receiver and second`,
    "Generator": `${g.verdict || "nothing sent yet"}; late p99 ${duration(g.late_recent_p99_ns)}, so far ${duration(g.late_p99_ns)}; ` +
      `${count(g.unsent)} not sent`,
    "Process": `${percent(g.cpu)} of all processors, stopped by GC for ${duration(g.gc_pause_s * 1e9)}` +
      (g.steal === undefined ? "" : `; the hypervisor took ${percent(g.steal)}`),
    "Nodes": `${count(n.nodes)} with ${count(n.triggers)} triggers` + (n.hottest_over_mean > 0 ?
      `; the hottest, node ${n.hottest}, reads ${digits(n.hottest_over_mean)} times the mean` : ""),
    "Dropped": (drops || "nothing") + (n.udp_errors === undefined ? "" :
      `; ${count(n.udp_errors)} datagrams found no room in UDP sockets of this machine`),
  };
  byId("facts").replaceChildren(...Object.entries(rows).flatMap(([k, v]) => [make("dt", null, k), make("dd", null, v)]));
}

function tag(element, text, kind) {
  element.hidden = !text;
  say(element, text);
  element.className = "tag" + (kind ? " " + kind : "");
}

function banner(text, kind) {
  const b = byId("banner");
  b.hidden = !text;
  say(b, text);
  b.className = "banner" + (kind ? " " + kind : "");
}

function show() {
  const s = history[history.length - 1];
  if (!s) return;
  const load = s.load;
  document.title = (s.ended ? s.ended + ": " : "") + s.title + " – i3bench live";
  say(byId("title"), s.title);
  say(byId("what"), s.what || "");
  say(byId("doing"), s.ended ? "" : s.doing);
  tag(byId("phase"), s.ended ? s.ended : load ? load.over ? "load over" : s.phase : "preparing", "");
  const verdict = load ? load.generator.verdict : "";
  tag(byId("verdict"), verdict, verdict === "VALID" ? "good" : "bad");
  const bar = byId("bar");
  bar.max = load ? load.for_s : Math.max(s.total, 1);
  bar.value = load ? Math.min(load.at_s, load.for_s) : s.done;
  say(byId("clock"), load ? clock(load.at_s) + " / " + clock(load.for_s) : s.total > 0 ? percent(s.done / s.total) : "not begun");
  byId("operations").hidden = byId("state").hidden = !load;
  byId("charts").hidden = !load;
  if (load) {
    operations(load);
    facts(load);
    chartsOf(load);
    for (const c of charts.values()) c.draw();
    levels.draw(load);
  }
  if (s.ended) {
    ended = true;
    banner(`The run has ended (${s.ended}).` + (s.report ? ` Its report is in ${s.report}` : ""), s.ended === "complete" ? "good" : "bad");
  }
  say(byId("foot"), `Snapshot ${s.number} of ${timeOf(s)}.` + (missed ? ` ${missed} were missed: this page was too slow for them.` : ""));
  document.body.dataset.number = s.number;
}

// take keeps a snapshot. Another stage begins with empty charts.
function take(s) {
  const last = history[history.length - 1];
  if (last && last.title !== s.title) {
    history.length = 0;
    charts.clear();
    levels = null;
    byId("charts").replaceChildren();
  }
  if (before && s.number > before + 1) missed += s.number - before - 1;
  before = s.number;
  history.push(s);
  if (history.length > KEEP) history.shift();
}

function listen() {
  const events = new EventSource("events");
  events.addEventListener("history", e => {
    history.length = 0;
    before = 0;
    for (const s of JSON.parse(e.data)) take(s);
    if (!ended) banner("", "");
    show();
    if (ended) events.close();
  });
  events.addEventListener("snapshot", e => {
    take(JSON.parse(e.data));
    show();
    if (ended) events.close();
  });
  events.addEventListener("error", () => {
    if (ended) return;
    banner(events.readyState === EventSource.CLOSED ?
      "The server does not answer: the run has ended, or too many pages are open. Reload to try again." :
      "The connection is lost; trying again.", "bad");
  });
}

listen();
})();

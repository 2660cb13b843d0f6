// The ladder of a case: two lifelines and the link between them, on one clock that runs down.

const GLYPH = 7.23; // width of a character of 12 px monospace
const LINE = 15;
const TIME = 76;
const LANE = 9;
const WAIT = 0.86; // how far a segment comes that is held back
/**
 * By fate: from where to where on the link an arrow goes (0 is its sender), where its sign stands, and the sign, in a
 * square of 10. A fate that is not named here is the suite's own doing: such a segment begins on the link.
 */
const FATES = {
  delivered: { course: [0, 1] },
  dropped: { course: [0, 0.5], at: 0.53, sign: "M1 1L9 9M9 1L1 9" },
  held: { course: [0, 1], at: WAIT - 0.04, sign: "M3 1V9M7 1V9" },
  repeated: { course: [0.5, 1], at: 0.46, sign: "M8.5 3A4 4 0 1 0 9 6M9 .5V3.5H6" },
  own: { course: [0.5, 1], at: 0.46, sign: "M5 0.5L9.5 5L5 9.5L0.5 5Z" },
};
const fateOf = (step) => (step.f ? FATES[step.f] ?? FATES.own : FATES.delivered);

const milliseconds = (microseconds) => (microseconds / 1000).toFixed(3);

function duration(microseconds) {
  if (microseconds >= 1e6) return `${Number((microseconds / 1e6).toPrecision(3))} s`;
  if (microseconds >= 1e3) return `${Number((microseconds / 1e3).toPrecision(3))} ms`;
  return `${Number(microseconds.toPrecision(3))} µs`;
}

/** Text in lines of at most so many characters, broken at blanks where there are any. */
function lines(text, most) {
  const found = [];
  let line = "";
  for (const word of text.split(" ")) {
    let rest = word;
    if (line && line.length + 1 + rest.length > most) {
      found.push(line);
      line = "";
    }
    while (rest.length > most) {
      found.push(rest.slice(0, most));
      rest = rest.slice(most);
    }
    line = line ? `${line} ${rest}` : rest;
  }
  return [...found, line];
}

/** How far the clock can be stretched: from `0`, in order, over all of `steps`, to where lengths are to scale. */
class Clock {
  constructor(steps) {
    this.gaps = steps.slice(1).map((step, n) => step.t - steps[n].t).filter((gap) => gap > 0);
    const longest = Math.max(1, ...this.gaps);
    const whole = Math.max(1, this.gaps.reduce((sum, gap) => sum + gap, 0));
    this.least = 30 / longest;
    this.most = Math.max(this.least, Math.min(34 / Math.min(longest, ...this.gaps), 24000 / whole));
    this.usual = this.gaps.length ? this.place(Math.max(this.least, Math.min(this.most, 150 / longest, 400 / whole))) : 0;
  }
  /** Pixels a microsecond at a place of the slider, 0 to 100. */
  scale(place) {
    return place <= 0 ? 0 : this.least * (this.most / this.least) ** ((place - 1) / 99);
  }
  place(scale) {
    const share = this.most > this.least ? Math.log(scale / this.least) / Math.log(this.most / this.least) : 0;
    return Math.round(1 + 99 * share);
  }
  /** What a place of the slider means; `stretched` is the longest time that had to be drawn longer there. */
  words(place, stretched) {
    const scale = this.scale(place);
    if (!scale) return "in order: every step follows the one before";
    const length = `${duration(100 / scale)} in 100 pixels`;
    return stretched ? `${length}; up to ${duration(stretched)} is drawn longer` : `to scale: ${length}`;
  }
}

/** Where things are drawn across, for steps of these texts and so much room. */
function columns(steps, room, names) {
  const longest = (wanted) => Math.max(12, ...steps.filter(wanted).map((step) => step.x.length + 1)) * GLYPH + 8;
  const lanes = { iut: 0, peer: 0 };
  for (const step of steps) if (step.lane !== undefined) lanes[step.c] = Math.max(lanes[step.c], step.lane + 1);
  const side = (end) => Math.min(280, Math.max(Math.min(255, longest((step) => step.c === end)), ...names[end].map((name) => name.length * 6.8)));
  const link = Math.min(330, Math.max(210, longest((step) => step.s) + 64, longest((step) => step.c === "link") + 10));
  const wide = { iut: side("iut"), peer: side("peer") };
  const fixed = TIME + 28 + (lanes.iut + lanes.peer) * LANE;
  const spare = room - fixed - wide.iut - wide.peer - link;
  if (spare < 0) for (const end of ["iut", "peer"]) wide[end] = Math.max(Math.min(room < 500 ? 110 : 150, wide[end]), wide[end] + spare / 2);
  const iut = TIME + wide.iut + 14 + lanes.iut * LANE;
  const peer = iut + link + Math.max(0, Math.min(spare, 160));
  return { iut, peer, lanes, wide, width: peer + lanes.peer * LANE + 14 + wide.peer };
}

/** Give each call a lane of its own beside the lifeline, as long as it lasts, and tell entries their returns. */
function laid(steps) {
  const busy = { iut: [], peer: [] };
  const own = steps.map((step) => ({ ...step }));
  const returns = new Map(own.filter((step) => step.k === "return").map((step) => [`${step.c} ${step.i}`, step]));
  for (const step of own.filter((each) => each.k === "call")) {
    const lanes = busy[step.c];
    const free = lanes.findIndex((end) => end <= step.t);
    step.lane = free < 0 ? lanes.length : free;
    lanes[step.lane] = step.n.length > 1 ? step.t : step.u ?? Infinity; // what returned at once is in nobody's way
    step.exit = returns.get(`${step.c} ${step.i}`);
  }
  return own;
}

/**
 * The ladder as an SVG, and the longest time that had to be drawn longer than its scale has it. `marked` holds the
 * numbers of the events that are highlighted, `place` that of the slider.
 */
function drawLadder(ladder, { marked, place, room, names }) {
  const steps = laid(ladder.steps);
  const at = columns(steps, room, names);
  const scale = new Clock(steps).scale(place);
  const middle = (at.iut + at.peer) / 2;
  const heights = steps.map((step) => extent(step, at));
  const isMarked = (step) => (step.n ?? []).some((number) => marked.has(number));
  let y = 62;
  let stretched = 0;
  steps.forEach((step, n) => {
    if (n) {
      const gap = step.t - steps[n - 1].t;
      const least = heights[n - 1].below + heights[n].above + 4;
      if (least > scale * gap) stretched = Math.max(stretched, gap);
      y += Math.max(least, scale * gap);
    }
    step.y = y;
  });
  const last = steps.at(-1);
  const bottom = (last ? y + Math.max(heights.at(-1).below, last.u ? Math.min(scale * (last.u - last.t), 24000) : 0) : y) + 14;
  const down = (t) => whereIs(t, steps, scale, bottom);

  const bands = svg("g");
  const back = svg("g");
  const front = svg("g");
  for (const end of ["iut", "peer"]) {
    const anchor = end === "iut" ? "end" : "start";
    const x = at[end];
    back.append(svg("line", { class: "life", x1: x, x2: x, y1: 44, y2: bottom }));
    const most = Math.floor((at.wide[end] + 10) / 6.8);
    front.append(svg("text", { class: "head", x, y: 17, "text-anchor": anchor }, cut(names[end][0], most)),
                 svg("text", { class: "sub", x, y: 33, "text-anchor": anchor }, cut(names[end][1], most)));
  }
  front.append(svg("text", { class: "soft", x: TIME - 10, y: 46, "text-anchor": "end" }, "ms"),
               svg("text", { class: "sub", x: middle, y: 33, "text-anchor": "middle" }, ladder.wire ? "link" : "link, not seen"));

  const held = [];
  steps.forEach((step, n) => {
    const here = isMarked(step);
    const top = step.y - heights[n].above;
    if (here) {
      bands.append(svg("rect", { class: "band", x: 0, y: top, width: at.width, height: heights[n].above + heights[n].below + 1 }),
                   svg("rect", { class: "band-edge", x: 0, y: top, width: 3, height: heights[n].above + heights[n].below + 1 }));
    }
    const group = svg("g", { class: here ? "marked" : null });
    group.append(svg("text", { class: here ? null : "soft", x: TIME - 10, y: step.y + heights[n].base, "text-anchor": "end" }, milliseconds(step.t)));
    if (step.s) drawArrow(group, step, { at, down, held });
    else if (step.k === "fold") drawFold(group, step, at);
    else if (step.k === "connected" || !step.c) drawAcross(group, step, at);
    else if (step.c === "link") write(group, step.x, { x: middle, y: step.y + 4, anchor: "middle", most: perLine(at.peer - at.iut), kind: "note" });
    else drawAtEnd(group, step, { at, down, bottom, scale });
    front.append(group);
  });
  const size = { width: Math.ceil(at.width), height: Math.ceil(bottom + 6) };
  const picture = svg("svg", { viewBox: `0 0 ${size.width} ${size.height}`, ...size, role: "img", "aria-labelledby": "ladder-title ladder-desc" },
    svg("title", { id: "ladder-title" }, `Ladder of ${names.case}`),
    svg("desc", { id: "ladder-desc" }, `${several(steps.length, "step")} of ${names.iut[0]}, the link and the peer, ${names.iut[1]}; time runs down. The table below tells the same.`),
    bands, back, front);
  return { picture, stretched };
}

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const perLine = (width) => Math.max(8, Math.floor((width - 8) / GLYPH));

/** How much a step needs above and below its point in time, and where its text stands. */
function extent(step, at) {
  if (step.s) return { above: 17, below: 7, base: 0 };
  if (step.k === "fold") return { above: 14, below: 4 + LINE * lines(step.x, perLine(at.width - TIME)).length, base: 4 };
  const room = step.c === "" ? at.width - TIME - 20 : step.c === "link" ? at.peer - at.iut : at.wide[step.c];
  return { above: 9, below: 8 + LINE * (lines(step.x, perLine(room)).length - 1), base: 4 };
}

/** Where a time lies, between the steps around it. */
function whereIs(t, steps, scale, bottom) {
  if (t === undefined) return bottom;
  let before = 0;
  while (before + 1 < steps.length && steps[before + 1].t <= t) before += 1;
  const here = steps[before];
  const next = steps[before + 1];
  if (!next) return Math.min(bottom, here.y + scale * (t - here.t));
  return here.y + ((next.y - here.y) * (t - here.t)) / Math.max(1, next.t - here.t);
}

function write(group, text, { x, y, anchor, most, kind }) {
  const rows = lines(text, most);
  const spans = rows.map((row, n) => svg("tspan", { x, dy: n ? LINE : 0 }, row));
  group.append(svg("text", { class: kind ?? null, x, y, "text-anchor": anchor }, spans));
}

function drawAcross(group, step, at) {
  write(group, step.x, { x: (at.width + TIME) / 2, y: step.y + 4, anchor: "middle", most: perLine(at.width - TIME - 20), kind: "note" });
}

function drawFold(group, step, at) {
  group.append(svg("line", { class: "fold-line", x1: TIME, x2: at.width, y1: step.y - 8, y2: step.y - 8 }));
  write(group, step.x, { x: (at.width + TIME) / 2, y: step.y + 5, anchor: "middle", most: perLine(at.width - TIME), kind: "fold" });
}

/** A call as a bar from entry to return, what an end said by itself as a mark, and its words beside them. */
function drawAtEnd(group, step, { at, down, bottom, scale }) {
  const outward = step.c === "iut" ? -1 : 1;
  const life = at[step.c];
  if (step.k === "call") {
    const x = life + outward * (4 + step.lane * LANE) - 3.5;
    const open = step.u === undefined && !step.exit;
    const whole = step.n.length > 1;
    const end = open ? bottom : step.exit ? step.exit.y : whole ? step.y + scale * (step.u - step.t) : down(step.u);
    group.append(svg("rect", { class: open ? "call open" : "call", x, y: step.y - 3, width: 7, height: Math.max(7, end - step.y + 5), rx: 1.5 }));
  } else if (step.k === "told") {
    const x = life + outward * 5;
    group.append(svg("path", { class: "told", d: `M${x - 5} ${step.y}l5 -5l5 5l-5 5z` }));
  }
  const x = life + outward * (9 + Math.max(1, at.lanes[step.c]) * LANE);
  const kind = step.k === "note" ? "note" : null;
  write(group, step.x, { x, y: step.y + 4, anchor: outward < 0 ? "end" : "start", most: perLine(at.wide[step.c]), kind });
}

/** A segment or a unit as an arrow; what the suite did to it shows in its course and its sign. */
function drawArrow(group, step, { at, down, held }) {
  const fate = step.f ?? "delivered";
  const { course: [from, to], at: place, sign } = fateOf(step);
  const start = step.s === "iut" ? at.iut : at.peer;
  const way = (step.s === "iut" ? at.peer : at.iut) - start;
  const x1 = start + way * from + (from ? 0 : Math.sign(way) * 2);
  const x2 = fate === "held" && step.u === undefined ? start + way * WAIT : start + way * to - (to === 1 ? Math.sign(way) * 2 : 0);
  const flags = step.g ?? "";
  const look = step.k === "unit" ? "unit" : flags.includes("R") ? "rst" : /[FS]/.test(flags) ? "fin" : flags === "A" && step.x.includes(" ack=") && !step.x.includes(" len=") ? "ack" : "data";
  const arrow = svg("g", { class: `arrow ${look} fate-${fate}${step.f ? " interfered" : ""}` });
  let y2 = step.y;
  if (fate === "held" && step.u !== undefined) {
    const lane = held.filter((until) => until > step.t).length;
    held.push(step.u);
    const x = start + way * WAIT - Math.sign(way) * lane * 8;
    y2 = down(step.u);
    arrow.append(svg("path", { class: "wire", d: `M${x1} ${step.y}H${x}V${y2}H${x2}` }));
  } else {
    arrow.append(svg("line", { class: "wire", x1, x2, y1: step.y, y2: step.y }));
  }
  if (to === 1 && !(fate === "held" && step.u === undefined)) {
    const back = -Math.sign(way) * 8;
    arrow.append(svg("path", { class: "tip", d: `M${x2} ${y2}l${back} -4v8z` }));
  }
  if (sign) {
    const x = start + way * place - 5 - (fate === "held" ? Math.sign(way) * 8 * held.length : 0);
    arrow.append(svg("path", { class: "by", transform: `translate(${x} ${step.y - 5})`, d: sign }));
  }
  const most = perLine(Math.abs(way) - 16);
  const text = step.x.length > most ? step.x.replace("PSH ", "") : step.x; // the least telling of all flags
  arrow.append(svg("text", { x: start + way / 2, y: step.y - 5, "text-anchor": "middle" }, cut(text, most)));
  group.append(arrow);
}

/** The same steps as a table, for those who do not see the picture, or rather read. */
function stepsTable(ladder, marked, fates) {
  const rows = ladder.steps.map((step) => {
    const where = step.s ? `link, from the ${step.s}` : step.c || "both";
    const fate = step.f ? `, ${fates[step.f] ?? step.f}` : "";
    const until = step.k === "call" && step.u !== undefined && step.n.length > 1 ? `, in ${duration(step.u - step.t)}` : "";
    const here = (step.n ?? []).some((number) => marked.has(number));
    return el("tr", { class: here ? "marked" : null }, el("td", {}, milliseconds(step.t)), el("td", {}, where),
      el("td", {}, `${step.x}${fate}${until}`), el("td", {}, here ? "yes" : ""));
  });
  const heads = ["ms", "where", "what", "decisive"].map((name) => el("th", { scope: "col" }, name));
  return el("table", { class: "steps" }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, rows));
}

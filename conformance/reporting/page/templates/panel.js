// The evidence behind a cell: the requirement, what is accepted, each case with its findings, and the ladder.

const panel = document.getElementById("panel");
const page = document.getElementById("page");
const scrim = document.getElementById("scrim");
const WORST_FIRST = ["fail", "error", "deviation", "inconclusive", "pass", "recorded"];
const TELLING = ["violated", "error", "satisfied", "undetermined"];
const MANY = 8; // cases; from here on there is a field to find one
let slider = null; // where the reader put it; kept from case to case

const badge = (verdict, words) => {
  const [sign, name] = words.verdicts[verdict] ?? ["·", verdict];
  return el("span", { class: `badge ${verdict}` }, el("span", { class: "sign", "aria-hidden": "true" }, sign), ` ${name}`);
};
const term = (name, ...said) => el("div", {}, el("dt", {}, name), el("dd", {}, said));

/** Fill the panel for a cell, with that case or the worst one. `go(cell, case)` is called to look at another. */
async function showEvidence(provider, id, caseId, { place, close, go }) {
  let words, all;
  try {
    [words, all] = await Promise.all([data("vocabulary"), data(`evidence-${place}`)]);
  } catch (error) {
    return shown(head(provider, id, null, close), el("p", { class: "reason" },
      `The evidence in this page could not be unpacked (${error.message}). It needs a browser of 2023 or later, and the whole file.`));
  }
  const row = all.rows[id];
  const requirement = words.requirements[id];
  if (!row) return shown(head(provider, id, null, close), el("p", { class: "reason" }, "The results have no row for this requirement: they are of another version."));
  const chosen = pick(row, caseId);
  shown(
    head(provider, id, badge(row.verdict, words), close),
    el("h2", { id: "panel-title" }, requirement?.statement ?? "This suite's catalogue does not know this requirement."),
    el("p", { class: "under" }, [row.level, requirement ? `group ${requirement.group}, ${words.groups[requirement.group]}` : "", all.implementation].filter(Boolean).join(" · ")),
    row.excused ? el("p", { class: "reason" }, `Excused by the baseline: ${row.excused}`) : null,
    row.reason.length ? el("p", { class: "reason" }, row.reason.join("\n")) : null,
    requirement ? about(requirement, row) : null,
    row.cases.length ? casePicker(row, chosen, words, (each) => go(each.id)) : el("p", { class: "under" }, all.problem.length ? "" : "No case says anything of this requirement here, so there is no ladder."),
    chosen ? caseDetails(chosen, all, words) : null,
  );
  if (chosen?.draw) chosen.draw();
}

function shown(...parts) {
  panel.replaceChildren(...parts.filter(Boolean));
  if (!panel.querySelector("#panel-title")) panel.querySelector(".head .id").id = "panel-title";
}

function head(provider, id, verdict, close) {
  const button = el("button", { type: "button", class: "close" }, "Back to the matrix");
  button.addEventListener("click", close);
  return el("div", { class: "head" }, verdict, el("span", { class: "id" }, id), el("span", {}, provider), el("span", { class: "buttons" }, button));
}

/** The case that was asked for, or the worst of those that say something of the requirement. */
function pick(row, caseId) {
  const worst = [...row.cases].sort((a, b) => WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict));
  return row.cases.find((each) => each.id === caseId) ?? worst.find((each) => each.verdict === row.verdict) ?? worst[0];
}

function about(requirement, row) {
  const sources = requirement.sources.map(([text, verified, note]) => el("div", {}, text, verified ? "" : el("span", { class: "unverified", title: note }, " unverified")));
  const matches = new Map();
  for (const each of row.cases) {
    for (const matched of new Set(each.findings.map((finding) => finding[3]).filter(Boolean))) matches.set(matched, (matches.get(matched) ?? 0) + 1);
  }
  const accepted = row.accepted.map((place) => requirement.accepted[place]).map(([outcome, says, provenance]) =>
    el("li", { class: matches.has(provenance) ? "matched" : null }, el("code", {}, outcome), ` ${says}`,
      el("small", {}, provenance, matches.has(provenance) ? el("span", { class: "match" }, ` ✓ matched in ${several(matches.get(provenance), "case")}`) : null)));
  return el("div", { class: "two" },
    el("div", {}, el("h3", {}, "Where it is written"),
      el("dl", {}, term("clause", ...sources),
        term("applies if", requirement.conditions.length ? requirement.conditions.join("; ") : "always"),
        term("stimulus", requirement.stimulus), term("seen by", requirement.observed),
        requirement.divergence ? term("divergence", requirement.divergence) : null)),
    el("div", {}, el("h3", {}, "What is accepted"),
      accepted.length ? el("ul", { class: "accepted" }, accepted) : el("p", { class: "under" }, "Nothing is accepted under this statement: the requirement does not apply.")));
}

// --- the cases --------------------------------------------------------------------------------------------------------

function casePicker(row, chosen, words, go) {
  const counts = WORST_FIRST.map((verdict) => [verdict, row.cases.filter((each) => each.verdict === verdict).length]).filter(([, count]) => count);
  const told = counts.map(([verdict, count]) => `${count} ${words.verdicts[verdict][1]}`).join(", ");
  if (row.cases.length === 1) return null;
  const badness = (each) => WORST_FIRST.indexOf(each.verdict);
  const byFunction = new Map();
  for (const each of [...row.cases].sort((a, b) => badness(a) - badness(b))) {
    const name = each.id.split("[")[0];
    byFunction.set(name, [...(byFunction.get(name) ?? []), each]);
  }
  const entries = [];
  const groups = [...byFunction].map(([name, cases]) => {
    const items = cases.map((each) => {
      const [sign, said] = words.verdicts[each.verdict];
      const link = el("a", { href: fragment({ filters: NO_FILTER, cell: row.cell, case: each.id }), "aria-current": each === chosen ? "true" : null, "aria-label": `${said}: ${each.id}` },
        el("span", { class: `sign ${each.verdict}`, "aria-hidden": "true" }, sign), each.id.slice(name.length).replace(/^\[|\]$/g, "") || "the only one");
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go(each);
      });
      const item = el("li", {}, link);
      entries.push([item, `${each.id} ${said}`.toLowerCase()]);
      return item;
    });
    return el("div", {}, el("h4", {}, name), el("ul", {}, items));
  });
  const find = el("input", { type: "search", autocomplete: "off", spellcheck: "false", placeholder: "parameters, verdict" });
  find.addEventListener("input", () => {
    for (const [item, text] of entries) item.hidden = !text.includes(find.value.trim().toLowerCase());
    for (const group of groups) group.hidden = !group.querySelector("li:not([hidden])");
  });
  return el("section", { "aria-labelledby": "cases-title" },
    el("h3", { id: "cases-title" }, `${several(row.cases.length, "case")}: ${told}`),
    row.cases.length >= MANY ? el("p", { class: "find" }, el("label", {}, "Find a case ", find)) : null,
    el("div", { class: "cases", role: "group", "aria-labelledby": "cases-title", tabindex: "0" }, groups));
}

function caseDetails(chosen, all, words) {
  const found = all.cases[chosen.case];
  const story = words.stories[chosen.id.split("[")[0]];
  const parts = [
    el("h3", {}, badge(chosen.verdict, words), chosen.id),
    story ? el("p", { class: "story" }, story) : null,
  ];
  if (!found) return el("section", { class: "case" }, parts, el("p", { class: "reason" }, "The results name this case here, and not among the cases of the provider: they were edited, or are damaged."));
  parts.push(el("p", { class: "under" }, [`on ${found.topology}`, found.ladder?.began, `${found.seconds} s`].filter(Boolean).join(" · ")));
  if (found.problem.length) parts.push(el("pre", { class: "problem reason" }, found.problem.join("\n")));

  const decisive = TELLING.find((outcome) => chosen.findings.some((finding) => finding[0] === outcome));
  let marked = new Set(chosen.findings.filter((finding) => finding[0] === decisive).flatMap((finding) => finding[2]));
  const buttons = [];
  const findings = chosen.findings.map(([outcome, because, events, matched]) => {
    let button = null;
    if (events.length && found.ladder && chosen.findings.length > 1) {
      button = el("button", { type: "button", "aria-pressed": "false" }, "Show");
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        marked = new Set(events);
        chosen.draw();
      });
      buttons.push(button);
    }
    return el("li", {}, el("span", { class: outcome === "error" ? "error-word" : outcome }, outcome),
      el("span", {}, because, matched ? el("small", {}, ` as in ${matched}`) : null), button);
  });
  parts.push(el("ul", { class: "findings" }, findings), el("div", { class: "use" }, againLine(found.again), files(found, all.linked)));
  if (found.ladder) parts.push(ladderView(chosen, found, all, words, () => marked));
  else parts.push(el("p", { class: "reason" }, `No ladder: ${found.missing}. ${found.hint ?? ""}`));
  return el("section", { class: "case" }, parts);
}

function againLine(command) {
  const code = el("code", {}, command);
  const button = el("button", { type: "button" }, "Copy");
  const said = el("span", { class: "vh", role: "status" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
    }
    said.textContent = button.textContent;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  return el("div", { class: "again" }, el("span", { class: "label" }, "again"), code, button, said);
}

function files(found, linked) {
  if (!linked) return el("p", { class: "files" }, "The trace and its packets stayed with the run; this page is without them.");
  if (!found.trace) return null;
  return el("p", { class: "files" }, el("span", { class: "label" }, "evidence"), el("a", { href: found.trace, download: true }, "trace (.jsonl)"),
    found.packets ? el("a", { href: found.packets, download: true }, "packets (.pcapng)") : "no packets were captured");
}

function ladderView(chosen, found, all, words, marked) {
  const ladder = found.ladder;
  const clock = new Clock(ladder.steps);
  const box = el("div", { class: "ladder", role: "group", "aria-label": "ladder", tabindex: "0" });
  const table = el("div", { class: "steps-box" });
  const value = el("output", { for: "stretch" });
  const range = el("input", { type: "range", id: "stretch", min: 0, max: 100, step: 1 });
  range.value = String(slider ?? clock.usual);
  chosen.draw = () => {
    const place = Number(range.value);
    const names = { case: chosen.id, iut: [`iut: ${all.name}`, all.implementation], peer: [ladder.peer ? `peer: ${ladder.peer}` : "peer", ""] };
    const { picture, stretched } = drawLadder(ladder, { marked: marked(), place, room: box.clientWidth || 900, names });
    value.textContent = clock.words(place, stretched);
    range.setAttribute("aria-valuetext", value.textContent);
    box.replaceChildren(picture);
    table.replaceChildren(stepsTable(ladder, marked(), words.fates));
  };
  range.addEventListener("input", () => {
    slider = Number(range.value);
    chosen.draw();
  });
  const occurring = Object.entries(words.fates).filter(([fate]) => ladder.steps.some((step) => step.f === fate));
  return el("section", { "aria-labelledby": "ladder-heading" },
    el("h3", { id: "ladder-heading" }, "Ladder"),
    ladder.steps.length && clock.gaps.length ? el("div", { class: "ladder-bar" }, el("label", { for: "stretch" }, "in order"), range, el("span", {}, "to scale"), value) : null,
    ladder.steps.length ? box : el("p", { class: "under" }, "Nothing was seen in this case."),
    el("ul", { class: "key" }, el("li", {}, el("span", { class: "swatch" }), "what the finding rests on"),
      occurring.map(([fate, what]) => el("li", {}, svg("svg", { class: "swatch-sign", viewBox: "0 0 10 10", width: 10, height: 10, "aria-hidden": "true" },
        svg("path", { class: "by", d: fateOf({ f: fate }).sign })), ` ${what}`))),
    ladder.caveats.map((caveat) => el("p", { class: "caveat" }, caveat)),
    el("details", { class: "steps-of" }, el("summary", {}, "The steps as a table"), table));
}

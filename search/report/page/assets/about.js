// What the values depend on, and notes.
function drawAbout(page) {
  byId("view-about").replaceChildren(
    ...page.studies.flatMap(study => [
      page.studies.length > 1 ? element("h2", {}, study.name) : "",
      ...study.notes.map(note => element("p", {}, note)),
      element("h3", {}, "What the values depend on"),
      study.facts.length
        ? element(
            "dl",
            { class: "facts card" },
            study.facts.map(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]),
          )
        : element("p", { class: "soft" }, "Not recorded."),
      element("h3", {}, "How sure the values are"),
      element(
        "p",
        {},
        study.intervals.some(ends => ends.length)
          ? "Intervals are 95 % paired bootstrap intervals over what the trials were scored on. A hollow point is a tie: the interval of its difference from a cheaper point holds zero. The bar of a chosen point shows what it gains over the next cheaper one: where it doesn't reach that one's height, the gain is real."
          : "The trials keep no scores of single cases, so the page can't tell which differences are real.",
      ),
    ]),
  );
}

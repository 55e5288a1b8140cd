// Two pictures of a scene, one over the other, and a line to swipe between them.
function comparePictures(page, study, point, kept) {
  const scenes = study.scenes
    .map((scene, i) => ({ ...scene, own: point.pictures[i] }))
    .filter(scene => scene.own !== null && scene.own !== undefined);
  if (!scenes.length) return null;
  const settings = kept;
  const [left, right] = [
    element("img", { alt: "", draggable: "false" }),
    element("img", { alt: "", draggable: "false" }),
  ];
  const handle = element("span", { class: "handle" });
  const range = element("input", {
    type: "range",
    min: 0,
    max: 100,
    step: 0.5,
    value: settings.share,
    class: "swipe",
    "aria-label": "Swipe between the pictures",
    oninput: () => {
      settings.share = Number(range.value);
      move();
    },
  });
  const tags = [element("span", { class: "tag left" }), element("span", { class: "tag right" })];
  const frame = element("div", { class: "pictures" }, right, left, handle, ...tags, range);
  const pickers = element("div", { class: "pickers" });

  const move = () => {
    left.style.clipPath = `inset(0 ${100 - settings.share}% 0 0)`;
    handle.style.left = `${settings.share}%`;
    range.setAttribute("aria-valuetext", `${Math.round(settings.share)} % ${tags[0].textContent}`);
  };
  const show = () => {
    const scene = scenes.find(one => one.name === settings.scene) ?? scenes[0];
    const own = `trial ${study.trials[page.chosen.row]}`;
    const sides = [
      ["own", own, scene.own],
      ...scene.references.map(([label, picture]) => [`ref:${label}`, label, picture]),
    ];
    const find = (key, otherwise) => sides.find(side => side[0] === key) ?? otherwise;
    const pair = [find(settings.left, sides[1] ?? sides[0]), find(settings.right, sides[0])];
    [left, right].forEach((image, i) => {
      image.onload = () => image.classList.toggle("enlarged", image.clientWidth > image.naturalWidth);
      image.src = page.data.pictures[pair[i][2]];
      image.alt = `${scene.name}, ${pair[i][1]}`;
      tags[i].textContent = pair[i][1];
    });
    const side = (label, name, chosen) =>
      choose(
        label,
        sides.map(([key, text]) => [key, text]),
        chosen[0],
        key => {
          settings[name] = key;
          show();
        },
      );
    pickers.replaceChildren(
      ...(scenes.length > 1
        ? [
            choose(
              "Picture",
              scenes.map(({ name }) => [name, name]),
              scene.name,
              name => {
                settings.scene = name;
                show();
              },
            ),
          ]
        : []),
      side("Left", "left", pair[0]),
      side("Right", "right", pair[1]),
    );
    move();
  };
  show();
  return [pickers, frame];
}

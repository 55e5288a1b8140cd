"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const main = byId("main"), left = byId("left"), right = byId("right");
const answers = [];
const ZOOM = 4;
let address = null;

function show() {
  const done = answers.length === data.comparisons.length;
  main.dataset.state = done ? "done" : "comparing";
  byId("comparison").hidden = done;
  byId("end").hidden = !done;
  byId("progress").max = data.comparisons.length;
  byId("progress").value = answers.length;
  byId("back").disabled = answers.length === 0;
  byId("count").textContent = done
    ? `${answers.length} of ${answers.length}` : `${answers.length + 1} of ${data.comparisons.length}`;
  if (done) {
    save();
  } else {
    const one = data.comparisons[answers.length];
    left.src = data.pictures[one.leftPicture];
    right.src = data.pictures[one.rightPicture];
  }
  main.focus({ preventScroll: true });
}

function answer(better) {
  if (main.dataset.state !== "comparing") return;
  const { left, right, scene } = data.comparisons[answers.length];
  answers.push({ left, right, scene, better });
  show();
}

function back() {
  answers.pop();
  show();
}

function save() {
  const { format, study, points_sha256 } = data;
  const text = JSON.stringify({ format, study, points_sha256, answers }, null, 1) + "\n";
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  byId("save").href = address;
}

function zoom() {
  const on = main.classList.toggle("zoomed");
  byId("zoom").setAttribute("aria-pressed", String(on));
  for (const picture of [left, right]) picture.style.transform = on ? `scale(${ZOOM})` : "";
}

function look(event) {
  const frame = event.currentTarget.getBoundingClientRect();
  const part = (position, start, length) => `${(100 * (position - start) / length).toFixed(2)}%`;
  const origin = `${part(event.clientX, frame.left, frame.width)} ${part(event.clientY, frame.top, frame.height)}`;
  for (const picture of [left, right]) picture.style.transformOrigin = origin;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
  const onButton = event.target.closest("button, a") !== null;
  const actions = {
    ArrowLeft: () => answer("left"),
    ArrowRight: () => answer("right"),
    Backspace: back,
    z: zoom,
    Z: zoom,
  };
  if (!onButton) actions[" "] = () => answer("neither");
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
for (const side of ["left", "right", "neither"]) byId(`choose-${side}`).addEventListener("click", () => answer(side));
byId("zoom").addEventListener("click", () => { zoom(); main.focus({ preventScroll: true }); });
byId("back").addEventListener("click", back);
byId("again").addEventListener("click", back);
for (const frame of document.querySelectorAll(".frame")) {
  frame.addEventListener("pointermove", look);
  frame.addEventListener("pointerdown", look);
}
byId("command").textContent = data.command;
show();

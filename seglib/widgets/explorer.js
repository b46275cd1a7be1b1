// Shows an explorer: controls, picture, status. Python answers; ipywidgets itself holds back settings while Python
// is busy and then sends the newest only, so a dragged slider leaves no queue.
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const SVG = "http://www.w3.org/2000/svg";

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function render({ model, el }) {
  const controls = model.get("controls");
  const arrows = model.get("arrows");
  const inputs = controls.map(({ name, label, choices, min, max, step }) => {
    const fields = choices
      ? [make("select", { name, "aria-label": label }, ...choices.map((each) => make("option", {}, `${each}`)))]
      : ["range", "number"].map((type) => make("input", { type, name, min, max, step, "aria-label": label }));
    const read = (field) => (choices ? choices[field.selectedIndex] : field.valueAsNumber);
    for (const field of fields) {
      field.addEventListener(field.type === "range" ? "input" : "change", () => choose({ [name]: read(field) }));
    }
    return make("label", {}, make("span", {}, label), ...fields);
  });
  const image = make("img");
  const frame = make("div", { class: "picture" }, image);
  const ink = document.createElementNS(SVG, "svg"); // strokes that Python has not answered yet
  const status = make("p", { role: "status", "aria-live": "polite" });
  const legend = model.get("legend").map(([color, text]) => {
    const swatch = make("i", { style: `background: ${color}` });
    return make("span", {}, swatch, text);
  });
  const drawing = "strokes" in model.get("settings");
  let line = null; // the stroke under the pointer
  const undo = make("button", { type: "button" }, "Undo the last stroke");
  if (drawing) inputs.push(undo);
  const side = make("div", { class: "side" }, make("strong", {}, model.get("title")), ...inputs, status);
  side.append(make("p", { class: "legend" }, ...legend), make("p", {}, model.get("hint")));
  const root = make("div", { class: "seglib-explorer", role: "group", "aria-label": model.get("title") }, frame, side);
  el.append(root);

  function choose(changes) {
    const settings = { ...model.get("settings"), ...changes };
    for (const { name, min, max, at_most } of controls) {
      if (min === undefined) continue;
      if (Number.isNaN(settings[name])) settings[name] = model.get("settings")[name];
      settings[name] = Math.min(Math.max(settings[name], min), max);
      if (at_most && settings[name] > settings[at_most]) {
        if (at_most in changes) settings[name] = settings[at_most];
        else settings[at_most] = settings[name];
      }
    }
    model.set("settings", settings);
    model.save_changes();
    showSettings(); // also when nothing has changed: a typed number may have been out of range
  }

  function showSettings() {
    const settings = model.get("settings");
    for (const field of root.querySelectorAll("input, select")) field.value = settings[field.name];
    showBusy();
  }

  function showBusy() {
    const busy = JSON.stringify(model.get("answer").settings) !== JSON.stringify(model.get("settings"));
    root.setAttribute("aria-busy", busy);
  }

  function showAnswer() {
    const { png, alt, status: words, failed } = model.get("answer");
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(new Blob([png], { type: "image/png" }));
    image.alt = alt;
    status.textContent = words;
    status.classList.toggle("failed", Boolean(failed));
    showBusy();
    if (!drawing) return;
    ink.replaceChildren(...(line ? [line] : []));
    undo.disabled = !model.get("settings").strokes.length;
  }

  image.addEventListener("load", () => {
    const { naturalWidth: width, naturalHeight: height } = image;
    image.style.width = `${width * Math.max(1, Math.floor(576 / Math.max(width, height)))}px`;
  });

  function place(event) {
    const { left, top, width, height } = image.getBoundingClientRect();
    const row = Math.floor(((event.clientY - top) / height) * image.naturalHeight);
    const column = Math.floor(((event.clientX - left) / width) * image.naturalWidth);
    const inside = (value, length) => Math.min(Math.max(value, 0), length - 1);
    return { row: inside(row, image.naturalHeight), column: inside(column, image.naturalWidth) };
  }

  function addStroke(points) {
    const { strokes, kind } = model.get("settings");
    const [row, column] = points.at(-1);
    choose({ strokes: [...strokes, [kind, points]], row, column });
  }

  function undoStroke() {
    choose({ strokes: model.get("settings").strokes.slice(0, -1) });
  }

  function keyDraws(event) {
    const { row, column } = model.get("settings");
    const { name, choices } = controls.find((each) => each.choices);
    const chosen = choices.find((each) => `${each}` === event.key);
    if (event.key === " ") addStroke([[row, column]]);
    else if (event.key.toLowerCase() === "u" || event.key === "Backspace") undoStroke();
    else if (chosen !== undefined) choose({ [name]: chosen });
    else return;
    event.preventDefault();
  }

  function pointerDraws() {
    let points = [];
    frame.classList.add("drawn-on");
    frame.append(ink);
    image.draggable = false;
    undo.addEventListener("click", undoStroke);
    const add = (event) => {
      const { row, column } = place(event);
      const [before] = points.slice(-1);
      if (!before || before[0] !== row || before[1] !== column) points.push([row, column]);
      const corners = points.length > 1 ? points : [points[0], points[0]]; // a dot has an end, too
      line.setAttribute("points", corners.map(([y, x]) => `${x + 0.5},${y + 0.5}`).join(" "));
    };
    image.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      event.preventDefault(); // no text is selected, no page scrolled
      frame.focus();
      image.setPointerCapture(event.pointerId);
      points = [];
      ink.setAttribute("viewBox", `0 0 ${image.naturalWidth} ${image.naturalHeight}`);
      ink.style.width = `${image.clientWidth}px`;
      const [color] = model.get("legend")[model.get("settings").kind - 1];
      line = document.createElementNS(SVG, "polyline");
      line.setAttribute("stroke", color);
      ink.append(line);
      add(event);
    });
    image.addEventListener("pointermove", (event) => line && add(event));
    image.addEventListener("pointerup", () => {
      if (line) addStroke(points);
      line = null;
    });
    image.addEventListener("pointercancel", () => {
      line?.remove();
      line = null;
    });
  }

  if (arrows.length) {
    const [down, right] = arrows;
    frame.tabIndex = 0;
    frame.setAttribute("role", "application"); // lets screen readers pass the arrow keys on
    frame.setAttribute("aria-label", model.get("hint"));
    frame.addEventListener("keydown", (event) => {
      const [rows, columns] = ARROWS[event.key] ?? [0, 0];
      if (!rows && !columns) {
        if (drawing && !event.ctrlKey && !event.metaKey && !event.altKey) keyDraws(event);
        return;
      }
      event.preventDefault();
      const { [down]: row, [right]: column } = model.get("settings");
      const pixels = event.shiftKey ? 10 : 1;
      choose({ [down]: row + pixels * rows, [right]: column + pixels * columns });
    });
    if (drawing) pointerDraws();
    else if (down === "row") image.addEventListener("click", (event) => choose(place(event)));
  }

  // Shortcuts of the notebook (arrows choose another cell, letters do worse) must not take the keys of the controls.
  // JupyterLab and Notebook look for the attribute on what has the focus; others see no event.
  for (const each of root.querySelectorAll("input, select, button, [tabindex]")) each.dataset.lmSuppressShortcuts = "true";
  root.addEventListener("keydown", (event) => event.stopPropagation());

  model.on("change:settings", showSettings);
  model.on("change:answer", showAnswer);
  showSettings();
  showAnswer();
  return () => {
    model.off("change:settings", showSettings);
    model.off("change:answer", showAnswer);
    URL.revokeObjectURL(image.src);
  };
}

export default { render };

// Elements without templates and without HTML in strings: whatever a text holds, it is shown and never run.

/**
 * An element: `el("li", { class: "card", onclick: f, hidden: true }, "text", child, null)`.
 * `on…` are listeners, `data` a mapping, true and false switch an attribute, null children are left out.
 */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "value") made.value = value;
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Replace what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** The element of an id; a wrong id fails here and not somewhere else. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element ${id}`);
  return found;
}

/** A line of a kind ("", "warn" or "bad") that a screen reader says by itself. */
export const note = (text, kind = "") => el("p", { class: `note ${kind}`, role: kind === "bad" ? "alert" : "status" }, text);

/** Facts handed over by the server in the page: `<script type="application/json" id=…>`. */
export const given = (id) => JSON.parse(byId(id).textContent);

/**
 * Run a deed of a button once at a time: a second tap meanwhile does nothing, and the button says that it works.
 * A failure is shown in `out`.
 */
export async function once(button, deed, out) {
  if (button.getAttribute("aria-busy") === "true") return undefined;
  button.setAttribute("aria-busy", "true");
  if (out) fill(out);
  try {
    return await deed();
  } catch (problem) {
    if (!out) throw problem;
    fill(out, note(problem.message, "bad"));
    out.scrollIntoView({ block: "nearest" });
    return undefined;
  } finally {
    button.removeAttribute("aria-busy");
  }
}

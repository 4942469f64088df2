/* Opens cited pages beside (or, on narrow screens, above) the answer. Everything else is Gradio's. */
(() => {
  "use strict";
  const viewer = () => document.querySelector(".viewer");
  const part = (name) => viewer().querySelector(name);
  let open = null;

  function address(kind) {
    const given = new URLSearchParams();
    if (open.mark) given.set("mark", open.mark);
    if (open.spans) given.set("spans", open.spans);
    const query = given.toString();
    return open.base + open.page + "." + kind + (query ? "?" + query : "");
  }

  function fail() {
    const line = part(".viewer-problem");
    line.textContent = viewer().dataset.failed;
    line.hidden = false;
    part(".viewer-sheet").replaceChildren();
  }

  function sheet() {
    if (open.kind === "html") {
      const frame = document.createElement("iframe");
      frame.title = open.title;
      frame.src = address("html") + "#mark";
      return frame;
    }
    const picture = document.createElement("img");
    picture.alt = open.title + ", " + viewer().dataset.word + " " + open.page;
    picture.addEventListener("error", fail);
    picture.addEventListener("load", () => {
      // The marked passage comes into sight, with some of the page above it.
      part(".viewer-sheet").scrollTop = Math.max(open.top * picture.clientHeight - 80, 0);
      viewer().classList.add("ready");
    });
    picture.src = address("png");
    return picture;
  }

  function draw() {
    viewer().classList.remove("ready");
    part(".viewer-problem").hidden = true;
    part(".viewer-empty").hidden = true;
    part(".viewer-open").hidden = false;
    const count = open.pages > 1 ? open.page + " / " + open.pages : open.page;
    const title = part(".viewer-title");
    title.textContent = open.title + " ";
    const number = document.createElement("b");
    const revision = open.label ? viewer().dataset.revision + " " + open.label + " · " : "";
    number.textContent = revision + viewer().dataset.word + " " + count;
    title.append(number);
    const paged = open.kind === "png";
    for (const name of [".viewer-previous", ".viewer-next", ".viewer-zoom"]) part(name).hidden = !paged;
    part(".viewer-previous").disabled = open.page <= 1;
    part(".viewer-next").disabled = open.page >= open.pages;
    const place = part(".viewer-sheet");
    place.classList.remove("large");
    place.replaceChildren(sheet());
    place.scrollTop = 0;
    viewer().classList.add("open");
    document.body.classList.add("viewing");
  }

  function show(button) {
    for (const other of document.querySelectorAll("[data-url].current")) other.classList.remove("current");
    button.classList.add("current");
    const data = button.dataset;
    open = { base: data.base, page: Number(data.page), pages: Number(data.pages), mark: data.mark,
             spans: data.spans, top: Number(data.top), kind: data.kind, title: data.title, label: data.label };
    draw();
  }

  function turn(step) {
    open.top = 0;
    open.page = Math.min(Math.max(open.page + step, 1), open.pages);
    draw();
  }

  function close() {
    viewer().classList.remove("open");
    document.body.classList.remove("viewing");
    part(".viewer-open").hidden = true;
    part(".viewer-empty").hidden = false;
    document.querySelector("[data-url].current")?.focus();
  }

  // When the session has ended, Gradio would show nothing at all: lead to the door, which says so.
  const ask = window.fetch;
  window.fetch = async (...request) => {
    const reply = await ask(...request);
    if (reply.status === 401) location.assign("/sign-in?ended=1&next=" + encodeURIComponent(location.pathname));
    return reply;
  };

  // A supervisor's decision on a manual: the server checks the role; the page renews itself.
  async function decide(button) {
    const { decide: decision, revision, confirm: question } = button.dataset;
    if (question && !confirm(question)) return;
    const buttons = button.closest(".decisions").querySelectorAll("button");
    for (const each of buttons) each.disabled = true;
    const reply = await fetch(`/api/v1/revisions/${revision}/${decision}`, { method: "POST" });
    if (reply.ok) return;
    const line = button.closest("article, tr").querySelector(".problem");
    line.textContent = (await reply.json()).error;
    line.hidden = false;
    for (const each of buttons) each.disabled = false;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.url) show(button);
    else if (button.dataset.decide) decide(button);
    else if (button.matches(".viewer-close")) close();
    else if (button.matches(".viewer-previous")) turn(-1);
    else if (button.matches(".viewer-next")) turn(1);
    else if (button.matches(".viewer-zoom")) part(".viewer-sheet").classList.toggle("large");
  });
  // Typing into a chooser replaces what was chosen, instead of being appended to it.
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#asset input")) setTimeout(() => event.target.select(), 0);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("viewing")) close();
  });
})();

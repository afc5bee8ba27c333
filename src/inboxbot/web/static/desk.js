// Countdowns, keyboard shortcuts and small comforts. Every page works without this file.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  const span = (seconds) => {
    const minutes = Math.floor(Math.abs(seconds) / 60);
    const days = Math.floor(minutes / 1440);
    const hours = Math.floor((minutes % 1440) / 60);
    if (days) return `${days} d ${hours} h`;
    return hours ? `${hours} h ${minutes % 60} min` : `${minutes % 60} min`;
  };

  const count = () => {
    for (const one of document.querySelectorAll("[data-countdown]")) {
      const left = (Date.parse(one.dateTime) - Date.now()) / 1000;
      const words = left >= 0 ? document.body.dataset.left : document.body.dataset.late;
      const text = words.replace("{}", span(left));
      if (one.textContent !== text) one.textContent = text;
      one.classList.toggle("late", left < 0);
    }
  };
  count();
  setInterval(count, 15000);

  setInterval(() => {
    for (const one of document.querySelectorAll("[data-hold]")) {
      const left = Math.max(0, Number(one.dataset.hold) - 1);
      one.dataset.hold = String(left);
      one.textContent = document.body.dataset.seconds.replace("{}", String(left));
    }
  }, 1000);

  // The queue renews itself while nobody is in the middle of something.
  const queue = document.querySelector("[data-refresh]");
  if (queue) {
    setInterval(() => {
      if (document.hidden || queue.contains(document.activeElement) || queue.querySelector(":checked[type=checkbox]")) return;
      if (window.htmx) window.htmx.trigger(queue, "refresh");
    }, Number(queue.dataset.refresh) * 1000);
    document.addEventListener("htmx:afterSwap", count);
    const offline = document.getElementById("offline");
    for (const name of ["htmx:sendError", "htmx:responseError"]) {
      document.addEventListener(name, () => { offline.hidden = false; });
    }
    document.addEventListener("htmx:afterSwap", () => { offline.hidden = true; });
  }

  // A click counts once; the server refuses the second anyway.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if ("again" in form.dataset) return; // a download leaves the page as it is
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (form.method === "post") form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => {
    for (const one of document.querySelectorAll("form[data-sent]")) delete one.dataset.sent;
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-select-all]")) return;
    const boxes = [...document.querySelectorAll(".pick input")];
    const on = boxes.some((one) => !one.checked);
    for (const one of boxes) one.checked = on;
  });

  const open = (element) => {
    const details = element.closest("details");
    if (details) details.open = true;
    return details;
  };
  const toTarget = () => {
    const found = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (found && found.tagName === "DETAILS") found.open = true;
  };
  window.addEventListener("hashchange", toTarget);
  toTarget();

  const links = () => [...document.querySelectorAll(".queue .open")];
  const step = (by) => {
    const all = links();
    if (!all.length) return;
    const at = all.findIndex((one) => one.closest(".row").contains(document.activeElement));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    x: () => {
      const row = document.activeElement.closest(".row");
      if (row) row.querySelector(".pick input").click();
    },
    "/": () => { const field = document.getElementById("search"); if (field) { field.focus(); field.select(); } },
    a: () => { const form = document.querySelector("[data-approve]"); if (form) form.requestSubmit(); },
    e: () => {
      const summary = document.querySelector("[data-edit]");
      if (!summary) return;
      const field = open(summary).querySelector("textarea");
      field.focus();
      field.setSelectionRange(0, 0);
    },
    n: () => { const link = document.querySelector("[data-next]"); if (link) link.click(); },
    u: () => { const link = document.querySelector("[data-back]"); if (link) link.click(); },
    "?": () => { const help = document.getElementById("keys"); if (help) help.showModal(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const place = event.target;
    if (place.isContentEditable || /^(TEXTAREA|SELECT)$/.test(place.tagName)) return;
    if (place.tagName === "INPUT" && place.type !== "checkbox") return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
})();

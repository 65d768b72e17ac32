"use strict";
// The page is whole without this script. With it, the page follows the payment: each change is
// fetched as the server draws it, and put in place of what is shown.
(() => {
  const main = () => document.getElementById("checkout");
  const id = main().dataset.payment;
  let source = null;
  let timer = 0;
  let last = "";

  const wire = () => {
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = false;
      button.onclick = () => copy(document.getElementById(button.dataset.copy));
    }
    tick();
  };

  const copy = async (element) => {
    const said = document.querySelector(".copied");
    try {
      await navigator.clipboard.writeText(element.textContent);
      said.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(element);
      said.textContent = "Selected: copy it from the menu";
    }
  };

  const tick = () => {
    const shown = document.querySelector("[data-deadline]");
    if (!shown) return;
    const left = Math.max(0, Math.floor((Date.parse(shown.dataset.deadline) - Date.now()) / 1000));
    const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    shown.textContent = text;
    shown.setAttribute("aria-hidden", "true");
  };

  const draw = async () => {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("checkout");
    if (!next || next.innerHTML === last) return;
    last = next.innerHTML;
    const old = main();
    // The live region stays in place, so that a screen reader hears what changes in it.
    const region = old.querySelector("[role=status]");
    const words = next.querySelector("[role=status]");
    if (region.innerHTML !== words.innerHTML) region.innerHTML = words.innerHTML;
    words.replaceWith(region);
    old.replaceWith(next);
    document.title = page.title;
    wire();
    if (next.dataset.live !== "true") stop();
  };

  const stop = () => {
    if (source) source.close();
    clearInterval(timer);
    source = null;
  };

  const poll = () => {
    clearInterval(timer);
    timer = setInterval(draw, 5000);
  };

  const listen = () => {
    if (main().dataset.live !== "true") return;
    if (!window.EventSource) return poll();
    source = new EventSource(`/api/payments/${id}/events`);
    source.onmessage = (event) => {
      clearInterval(timer);
      const { detail, confirmations, amountReceivedLtc } = JSON.parse(event.data);
      const shown = `${detail}/${confirmations}/${amountReceivedLtc}`;
      if (shown !== main().dataset.shown) draw();
    };
    source.onerror = poll;
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden) draw(); });
  addEventListener("pageshow", (event) => { if (event.persisted) draw(); });
  setInterval(tick, 1000);
  wire();
  listen();
})();

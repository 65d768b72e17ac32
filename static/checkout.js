"use strict";
// The page is whole without this script. With it, the page follows the payment: each change is
// fetched as the server draws it, and put in place of what is shown.
(() => {
  const PAUSE_MS = 5000;
  const MUTED_MS = 15000;
  const main = () => document.getElementById("checkout");
  const live = () => main().dataset.live === "true";
  const id = main().dataset.payment;
  let source = null;
  let polling = 0;
  let retry = 0;
  let drawing = false;
  let again = false;
  let deadline = 0;
  let warned = 9;
  let hush = 0;
  let heard = 0;

  const wire = () => {
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = false;
      button.onclick = () => copy(document.getElementById(button.dataset.copy));
    }
    for (const part of document.querySelectorAll(".link")) part.hidden = false;
    const wallet = document.getElementById("wallet");
    if (wallet) wallet.onclick = () => setTimeout(() => {
      if (!document.hidden) say(main().dataset.noWallet);
    }, 1500);
    const left = document.querySelector("[data-left]");
    if (!left) return;
    // Counted from what the server says is left: the shopper's clock may be wrong.
    deadline = Date.now() + left.dataset.left * 1000;
    left.setAttribute("aria-hidden", "true");
    const options = { hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
    for (const clock of document.querySelectorAll("time")) {
      clock.textContent = new Date(clock.dateTime).toLocaleTimeString(document.documentElement.lang, options);
    }
    tick();
  };

  // Said in a live region, and gone before it is in the way.
  const say = (text) => {
    clearTimeout(hush);
    document.querySelector(".said").textContent = text;
    if (text) hush = setTimeout(say, 2 * PAUSE_MS, "");
  };

  const copy = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      say(main().dataset.copied);
    } catch {
      getSelection().selectAllChildren(element);
      say(main().dataset.selected);
    }
  };

  const tick = () => {
    // A proxy may hold events back without closing the stream.
    if (source && performance.now() - heard > MUTED_MS) poll();
    const left = document.querySelector("[data-left]");
    if (!left) return;
    const seconds = Math.max(0, Math.floor((deadline - Date.now()) / 1000));
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    const two = (n) => String(n).padStart(2, "0");
    // Said once each: while there is time to pay, and when there is hardly any.
    for (const soon of [5, 1]) {
      if (seconds < soon * 60 && seconds > 0 && warned > soon) {
        warned = soon;
        say(main().dataset.soon.replace("{n}", m + 1));
      }
    }
    left.textContent = h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };

  // One at a time, so that an older page never replaces a newer one.
  const draw = async () => {
    again = true;
    if (drawing) return;
    drawing = true;
    clearTimeout(retry);
    try {
      while (again && live()) {
        again = false;
        place(await load());
      }
    } catch {
      // An event comes once: what could not be fetched is asked for again.
      retry = setTimeout(draw, PAUSE_MS);
    }
    drawing = false;
  };

  const load = async () => {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), 2 * PAUSE_MS);
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: limit.signal });
      if (!answer.ok) throw new Error(answer.status);
      return new DOMParser().parseFromString(await answer.text(), "text/html");
    } finally {
      clearTimeout(timer);
    }
  };

  const place = (page) => {
    const old = main();
    const next = page.getElementById("checkout");
    if (next.dataset.shown === old.dataset.shown) return;
    // The live region stays in place, so that a screen reader hears what changes in it.
    const region = old.querySelector("[role=status]");
    const words = next.querySelector("[role=status]");
    if (region.innerHTML !== words.innerHTML) region.innerHTML = words.innerHTML;
    words.replaceWith(region);
    const { tagName, textContent, dataset } = document.activeElement;
    const focused = [...next.querySelectorAll(tagName)].find(
      (e) => e.textContent === textContent && e.dataset.copy === dataset.copy
    );
    old.replaceWith(next);
    document.title = page.title;
    const icon = document.querySelector("link[rel=icon]");
    icon.href = page.querySelector("link[rel=icon]").getAttribute("href");
    wire();
    if (focused) focused.focus({ preventScroll: true });
    if (!live()) stop();
  };

  const stop = () => {
    if (source) source.close();
    source = null;
    clearInterval(polling);
    polling = 0;
  };

  const poll = () => {
    if (!polling) polling = setInterval(draw, PAUSE_MS);
  };

  const hear = () => {
    heard = performance.now();
    clearInterval(polling);
    polling = 0;
  };

  const listen = () => {
    stop();
    if (!live()) return;
    heard = performance.now();
    if (!window.EventSource) return poll();
    // The page asks until the first event has come, and whenever the stream is broken or silent.
    poll();
    const base = location.pathname.replace(/\/pay\/[^/]*\/*$/, "");
    source = new EventSource(`${base}/api/payments/${id}/events?alive=event`);
    source.addEventListener("alive", hear);
    source.onmessage = (event) => {
      hear();
      const { detail, confirmations, amountReceivedLtc } = JSON.parse(event.data);
      const shown = `${detail}/${confirmations}/${amountReceivedLtc}`;
      if (shown !== main().dataset.shown) draw();
    };
    source.onerror = poll;
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden) draw(); });
  addEventListener("pageshow", (event) => { if (event.persisted) { listen(); draw(); } });
  setInterval(tick, 1000);
  wire();
  listen();
})();

// A session's page, live: each event brings the part of the page that tells how it stands.
const live = document.getElementById("live");

if (live?.dataset.events) {
  const stream = new EventSource(live.dataset.events);
  stream.addEventListener("message", (event) => {
    const focused = document.activeElement?.id;
    const unfolded = live.querySelector("#log")?.open;
    live.innerHTML = event.data; // rendered and escaped by the server, as the page itself
    if (unfolded) live.querySelector("#log")?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus();
    const state = live.querySelector(".state strong")?.textContent;
    if (state) document.title = `${state} · pangate`;
  });
  stream.addEventListener("end", () => stream.close());
  addEventListener("pagehide", () => stream.close());
}

// The search page with a script: a chosen order applies at once; on a narrow screen the filters begin folded.
for (const select of document.querySelectorAll("select[data-submit]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
  select.form.querySelector("button")?.setAttribute("hidden", "");
}
if (matchMedia("(max-width: 52rem)").matches) document.querySelector(".facets > details")?.removeAttribute("open");

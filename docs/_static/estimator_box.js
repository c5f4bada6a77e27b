/* scikit-learn gives an estimator's box the colours of the page as it was loaded; this follows when they change. */
const follow = () => {
  const theme = document.documentElement.dataset.theme;
  for (const box of document.querySelectorAll(".sk-top-container")) {
    box.classList.toggle("dark", theme === "dark");
    box.classList.toggle("light", theme !== "dark");
  }
};
new MutationObserver(follow).observe(document.documentElement, { attributeFilter: ["data-theme"] });
document.addEventListener("DOMContentLoaded", follow);

/* A function is found twice, as a page and as an object: one of them will do. */
document.addEventListener("DOMContentLoaded", () => {
  const results = document.getElementById("search-results");
  if (!results) return;
  new MutationObserver(() => {
    const seen = new Set();
    for (const item of results.querySelectorAll("ul.search > li")) {
      const link = item.querySelector("a");
      const key = `${link.href.split(/[?#]/)[0]} ${link.textContent.split(".").pop()}`;
      if (seen.has(key)) item.remove();
      seen.add(key);
    }
  }).observe(results, { childList: true, subtree: true });
});

"""What the browser tests ask of a page of the book, in JavaScript."""

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"],
    "resultTypes": ["violations"],
    "preload": False,  # axe would fetch style sheets again, from wrong addresses
}
UNRENDERED = """() => [...document.querySelectorAll(".math")].filter(
    it => !it.querySelector(".katex") || it.querySelector(".katex-error")).map(it => it.textContent)"""
EXAMINE = """rules => {
    window.found = null;
    setTimeout(() => axe.run(document, rules).then(it => { window.found = it.violations; }));
}"""
BROKEN_PICTURES = """async () => {
    const images = [...document.images];
    for (const image of images) image.loading = "eager";
    await Promise.all(images.map(image => image.decode().catch(() => {})));
    return images.filter(image => !image.naturalWidth || !image.alt.trim()).map(image => image.src);
}"""
LANDMARKS = """() => ["header", "main", "footer.bd-footer", "nav"].filter(it => !document.querySelector(it))"""
HEADINGS = """() => [...document.querySelectorAll("main article :is(h1, h2, h3, h4, h5, h6)")]
    .map(it => Number(it.tagName[1]))"""
SIDEWAYS = """() => {
    const own = it => ["auto", "scroll", "hidden"].includes(getComputedStyle(it).overflowX); // scroll alone
    const inside = it => it.matches(".bd-article-container, body") ? false : own(it) || inside(it.parentElement);
    return [document.scrollingElement, ...document.querySelectorAll(".bd-article-container")]
        .filter(it => it.scrollWidth > it.clientWidth).flatMap(it => [`${it.scrollWidth} in ${it.clientWidth} px`,
            ...[...it.querySelectorAll("article *")].filter(each =>
                each.getBoundingClientRect().right > innerWidth + 1 && !inside(each.parentElement))
                .slice(-4).map(each => each.outerHTML.slice(0, 160))]);
}"""

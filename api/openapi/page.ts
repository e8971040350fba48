/** The frame of our pages: one self-contained HTML document, light or dark as the reader's system is, no script. */

const style = `
:root{color-scheme:light dark;--bg:#fbfaf8;--fg:#1d2125;--soft:#5c646d;--line:#e0dcd5;--card:#fff;--code:#f3f0ea;--accent:#0b6e6e;
--get:#0b6e6e;--post:#8a4b08;--delete:#a3262a}
@media (prefers-color-scheme:dark){:root{--bg:#14181b;--fg:#e4e7e9;--soft:#98a2ab;--line:#2c343a;--card:#1a2024;--code:#0f1315;
--accent:#58c4c0;--get:#58c4c0;--post:#e3a35b;--delete:#f08a8d}}
*{box-sizing:border-box}html{scroll-behavior:smooth;scroll-padding-top:1rem}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
code,pre{font:13.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
code{background:var(--code);padding:.1em .3em;border-radius:4px}pre code{background:none;padding:0}
pre{background:var(--code);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;overflow:auto;margin:.6rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
.layout{display:grid;grid-template-columns:16rem minmax(0,1fr);max-width:78rem;margin:0 auto}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.6rem 1rem;border-right:1px solid var(--line);font-size:.92rem}
nav h2{font-size:.75rem;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:1.2rem 0 .3rem}
nav ul{list-style:none;margin:0;padding:0}nav li{margin:.15rem 0}nav a{color:var(--fg)}
nav li:has(.verb){padding-left:3.6rem}nav li .verb{margin-left:-3.6rem;width:3.3rem;min-width:0}
.brand{font-weight:700;font-size:1.1rem;color:var(--fg)}
main{padding:2rem 2rem 6rem;max-width:56rem;min-width:0}main.page{margin:0 auto}
h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0 1rem}h2{font-size:1.35rem;margin:2.6rem 0 .6rem}h3{font-size:1.05rem;margin:0 0 .4rem}
h4{font-size:.8rem;letter-spacing:.05em;text-transform:uppercase;color:var(--soft);margin:1rem 0 .3rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1.1rem 1.3rem;margin:1rem 0}
.verb{display:inline-block;min-width:4.2em;font:700 .75rem/1 ui-monospace,monospace;text-transform:uppercase;color:var(--get)}
.verb.post{color:var(--post)}.verb.delete{color:var(--delete)}
.path{font-family:ui-monospace,monospace;font-size:.98rem;overflow-wrap:anywhere}
.soft{color:var(--soft)}p{margin:.4rem 0}td p{margin:0 0 .3rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}td,th{text-align:left;vertical-align:top;padding:.35rem .8rem .35rem 0;border-top:1px solid var(--line)}
th{font-weight:600;border-top:0;color:var(--soft)}td:first-child{white-space:nowrap}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--accent)}
@media (max-width:50rem){.layout{display:block}nav{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line)}main{padding:1.2rem}
td:first-child{white-space:normal;overflow-wrap:anywhere;min-width:5.5rem}td.code{min-width:0;white-space:nowrap}}
`.replaceAll('\n', '');

/** `extraStyle`: what one family of pages has beside the common style. */
export function htmlPage(title: string, body: string, extraStyle = ''): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><link rel="icon" href="data:,"><style>${style}${extraStyle}</style></head><body>${body}</body></html>`;
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Our own descriptions use `code` and paragraphs, nothing else of Markdown. */
export function prose(text: string): string {
  const inline = (line: string) => escapeHtml(line).replace(/`([^`]+)`/g, '<code>$1</code>');
  return text
    .split('\n\n')
    .map((paragraph) => `<p>${inline(paragraph)}</p>`)
    .join('');
}

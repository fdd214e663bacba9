// The one style sheet of the portal: a light and a dark theme by the system's choice, one column on a phone, no font or picture from other
// sites. In both themes the contrast of text is at least 4.5 to 1 (WCAG 2.2, 1.4.3), that of fields' borders at least 3 to 1 (1.4.11).

import { digestOf } from '../../core/model/digest.ts';

export const styleSheet = `:root {
  color-scheme: light dark;
  --ground: #f6f5f2;
  --sheet: #ffffff;
  --ink: #22252b;
  --soft: #5a606b;
  --line: #dcdad4;
  --edge: #85898f;
  --accent: #1f5f5b;
  --accent-ink: #ffffff;
  --accent-soft: #e3efed;
  --bad: #a4262c;
  --bad-soft: #fbeaea;
  --good: #1c6b3a;
  --good-soft: #e6f3ea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15181c;
    --sheet: #1e2227;
    --ink: #e8e6e1;
    --soft: #a6acb5;
    --line: #343a42;
    --edge: #7d848e;
    --accent: #7cc7bf;
    --accent-ink: #10201f;
    --accent-soft: #203534;
    --bad: #f19a9a;
    --bad-soft: #3a2224;
    --good: #8bd3a4;
    --good-soft: #1f3327;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
body { margin: 0; background: var(--ground); color: var(--ink); min-height: 100vh; display: flex; flex-direction: column; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: .25rem; }
.skip { position: absolute; left: -100vw; padding: .5rem 1rem; background: var(--sheet); }
.skip:focus { left: .5rem; top: .5rem; z-index: 1; }
.top { background: var(--sheet); border-bottom: 1px solid var(--line); }
.bar, .navs, main, .foot { width: 100%; max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
.bar { display: flex; align-items: center; justify-content: space-between; gap: 1rem; min-height: 3.75rem; flex-wrap: wrap; }
.brand { display: inline-flex; align-items: center; gap: .6rem; min-width: 0; font-weight: 650; font-size: 1.1rem; color: var(--ink); text-decoration: none; padding: .4rem 0; overflow-wrap: anywhere; }
.brand img { height: 2rem; width: auto; max-width: 10rem; }
.brand span { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.who button.quiet { margin-right: -.5rem; }
.who { display: flex; align-items: center; gap: .75rem; min-width: 0; flex: none; max-width: 100%; }
.who .address { color: var(--soft); font-size: .9rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 22rem; }
.navs { display: flex; flex-wrap: wrap; justify-content: space-between; column-gap: 2rem; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; margin: 0; padding: 0; column-gap: 1.25rem; }
nav a { display: block; padding: .55rem 0; color: var(--soft); text-decoration: none; border-bottom: 3px solid transparent; }
nav a:hover { color: var(--ink); }
nav a[aria-current] { color: var(--ink); border-color: var(--accent); font-weight: 600; }
.lists { margin: 0 0 1.25rem; border-bottom: 1px solid var(--line); }
.plain-list { list-style: none; margin: 0; padding: 0; }
.plain-list > li { padding: .5rem 0; border-top: 1px solid var(--line); }
.words { white-space: pre-line; }
.badge { float: right; width: 4rem; height: 4rem; object-fit: cover; border-radius: .5rem; margin: 0 0 .5rem 1rem; position: relative; }
main { flex: 1; padding-top: 2rem; padding-bottom: 3rem; }
main.narrow { max-width: 29rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0 0 .6rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
p { margin: 0 0 1rem; overflow-wrap: break-word; }
.lead { font-size: 1.05rem; color: var(--soft); }
.soft, .hint { color: var(--soft); }
.hint { font-size: .9rem; margin: .25rem 0 0; }
.hint.after { margin-top: 1rem; }
.hint + :is(form, .row), .row + :is(.hint, .pages) { margin-top: 1rem; }
.hint.above { margin: -.2rem 0 .4rem; }
.problem { color: var(--bad); font-weight: 600; font-size: .95rem; margin: -.1rem 0 .4rem; }
.sheet { background: var(--sheet); border: 1px solid var(--line); border-radius: .75rem; padding: 1.25rem; margin: 0 0 1.25rem; }
.sheet > :last-child { margin-bottom: 0; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 1rem; padding: 0; margin: 0 0 1.5rem; list-style: none; }
.tiles > li { position: relative; background: var(--sheet); border: 1px solid var(--line); border-radius: .75rem; padding: 1.1rem 1.25rem; }
.tiles > li:hover { border-color: var(--edge); }
.tiles a::after { content: ""; position: absolute; inset: 0; border-radius: .75rem; }
.tiles p { margin: .2rem 0 0; color: var(--soft); }
.field { margin: 0 0 1.1rem; max-width: 30rem; }
label, legend { display: block; font-weight: 600; margin: 0 0 .3rem; }
label .hint { font-weight: 400; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.away { position: absolute; left: -100vw; width: 1px !important; height: 1px; min-height: 0 !important; padding: 0 !important; border: 0 !important; }
.after { margin-top: 1.25rem; }
fieldset { border: 0; padding: 0; margin: 0 0 1.1rem; }
.choice + p, .choice + button { margin-top: .9rem; }
.choice { display: flex; align-items: flex-start; gap: .6rem; margin: .35rem 0; }
.choice label { font-weight: 400; margin: 0; }
.choice input { width: 1.15rem; height: 1.15rem; margin: .2rem 0 0; accent-color: var(--accent); }
input:not([type=checkbox]):not([type=radio]):not([type=hidden]), select, textarea { font: inherit; color: inherit; width: 100%; min-height: 2.75rem; padding: .55rem .75rem; background: var(--sheet); border: 1px solid var(--edge); border-radius: .5rem; }
.field input[aria-invalid=true] { border-color: var(--bad) !important; border-width: 2px !important; }
textarea { min-height: 6rem; field-sizing: content; }
button, .button { font: inherit; font-weight: 600; display: inline-block; cursor: pointer; min-height: 2.75rem; padding: .55rem 1.1rem; border: 1px solid var(--accent); border-radius: .5rem; background: var(--accent); color: var(--accent-ink); text-decoration: none; text-align: center; }
button:hover, .button:hover { filter: brightness(1.08); }
button.plain, .button.plain { background: transparent; color: var(--accent); }
button.bad, .button.bad { background: transparent; color: var(--bad); border-color: var(--bad); }
button.quiet { background: transparent; color: var(--soft); border-color: transparent; padding: .3rem .5rem; font-weight: 500; text-decoration: underline; text-underline-offset: .15em; }
.narrow form > button, .narrow .button { width: 100%; }
.narrow form > button + button { margin-top: .75rem; }
.row { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; }
.row > .field { flex: 1 1 14rem; margin: 0; }
.row form { margin: 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr)); gap: 0 1rem; align-items: end; }
.filters { max-width: none; }
.filters form { margin-top: .5rem; }
.export { margin: 0 0 1.25rem; }
.export .hint { margin: 0 0 .6rem; }
.spaced-below { margin: 0 0 1.25rem; }
.spaced { margin: 0 0 1.25rem; justify-content: space-between; }
.spaced > form { flex: 0 1 26rem; }
.sheet form { max-width: 30rem; }
.note { overflow-wrap: anywhere; border: 1px solid var(--line); border-left: 4px solid var(--accent); background: var(--accent-soft); border-radius: .5rem; padding: .8rem 1rem; margin: 0 0 1.25rem; }
.note.bad { border-left-color: var(--bad); background: var(--bad-soft); }
.note.good { border-left-color: var(--good); background: var(--good-soft); }
.note > :last-child { margin-bottom: 0; }
.note h2 { font-size: 1rem; margin-bottom: .25rem; }
.note ul { margin: .25rem 0 .8rem; padding-left: 1.2rem; }
.note > p:has(+ ul) { margin-bottom: .25rem; }
form + :is(.note, details) { margin-top: 1.5rem; }
.items { list-style: none; padding: 0; margin: 0 0 1.25rem; }
.items > li { background: var(--sheet); border: 1px solid var(--line); border-radius: .75rem; padding: 1rem 1.25rem; margin: 0 0 .75rem; }
.items > li > :last-child { margin-bottom: 0; }
.items h2, .items h3 { margin: 0; }
.card { position: relative; overflow: hidden; }
.picture { display: block; width: 100%; max-height: 11rem; object-fit: cover; border-radius: .5rem; margin: 0 0 .75rem; }
.card:hover { border-color: var(--edge) !important; }
.card h3 a::after { content: ""; position: absolute; inset: 0; border-radius: .75rem; }
.card form, .card .row { position: relative; }
.items > li > .between { margin-bottom: .5rem; }
.items .facts { margin: .6rem 0; }
.items details .between { margin-top: .9rem; }
.between { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: .5rem 1rem; }
.between p { margin: 0; }
.between > :is(h2, h3, div):first-child { flex: 1 1 9rem; min-width: 0; }
.between + .facts { margin-top: .6rem; }
.facts { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .3rem 1.25rem; margin: 0 0 1rem; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.tag { display: inline-block; white-space: nowrap; font-size: .8rem; font-weight: 600; padding: .1rem .55rem; border-radius: 1rem; background: var(--accent-soft); color: var(--ink); }
.tag.good { background: var(--good-soft); color: var(--good); }
.tag.bad { background: var(--bad-soft); color: var(--bad); }
.scroll { overflow-x: auto; background: var(--sheet); border: 1px solid var(--line); border-radius: .75rem; margin: 0 0 1.25rem; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { text-align: left; vertical-align: top; padding: .6rem .9rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; color: var(--soft); font-weight: 600; font-size: .85rem; }
td { overflow-wrap: break-word; min-width: 6rem; }
td:first-child, td:nth-child(3) { overflow-wrap: anywhere; min-width: 11rem; }
td:last-child { overflow-wrap: anywhere; }
td time { white-space: nowrap; }
code, .code { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", monospace; font-size: .92em; overflow-wrap: anywhere; }
.big { font-size: 1.7rem; letter-spacing: .12em; text-align: center; }
.between.spaced { margin: 0 0 .75rem; }
.between.spaced h2, .between .soft { margin: 0; }
.said:not(:empty) { margin-left: .6rem; color: var(--good); font-weight: 600; }
[hidden] { display: none !important; }
.once { display: block; padding: .9rem 1rem; background: var(--accent-soft); border: 1px dashed var(--edge); border-radius: .5rem; user-select: all; }
details { margin: 0 0 1rem; }
.hint + details { margin-top: .75rem; }
summary { cursor: pointer; padding: .4rem 0; color: var(--accent); font-weight: 600; }
.pages { display: flex; flex-wrap: wrap; gap: .75rem; margin: 0 0 1.25rem; }
.qr { background: #fff; padding: 1rem; border-radius: .75rem; width: min(16rem, 100%); height: auto; display: block; margin: 0 0 1rem; }
.foot { color: var(--soft); font-size: .85rem; padding-top: 1rem; padding-bottom: 1.5rem; }
.foot p { margin: 0; }
@media (min-width: 40.01rem) {
  .bar { flex-wrap: nowrap; }
}
@media (max-width: 40rem) {
  main { padding-top: 1.4rem; }
  h1 { font-size: 1.45rem; }
  .bar, .navs, main, .foot { padding-left: 1rem; padding-right: 1rem; }
  .who .address { max-width: 55vw; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: .6rem; }
  nav ul { column-gap: 1rem; }
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stack :is(tbody, tr, td) { display: block; }
  .stack tr { padding: .6rem .9rem; border-top: 1px solid var(--line); }
  .stack tr:first-child { border-top: 0; }
  .stack td, .stack td:is(:first-child, :nth-child(3)) { border: 0; padding: .1rem 0; min-width: 0; overflow-wrap: anywhere; }
  .stack td:empty { display: none; }
}
`;

/** Version of the style sheet, which is part of its address. */
export const styleVersion = digestOf(styleSheet).slice(0, 12);

/** The icon of the tab, as SVG: a key on a door plate. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5f5b"/><circle cx="12" cy="12" r="5" fill="none" stroke="#fff" stroke-width="3"/><path d="M15.5 15.5 25 25m-3.500-3.500 3-3" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>`;

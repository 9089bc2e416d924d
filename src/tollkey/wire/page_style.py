"""The common style of hosted pages, in light and dark."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--page:#f4f6f6;--card:#fff;--text:#14211f;--soft:#5a6277;
--line:#d9dde5;--accent:#0f766e;--on-accent:#fff;--bad:#b3261e;
--button:var(--accent);--on-button:var(--on-accent);--edge:var(--button);--round:8px;--card-round:12px;
--font:system-ui,sans-serif}
@media(prefers-color-scheme:dark){:root{--page:#12141a;--card:#1c1f28;--text:#eceef4;--soft:#a4abbd;
--line:#363b48;--accent:#4fc3b4;--on-accent:#06201c;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 var(--font);overflow-wrap:anywhere}
main{max-width:28rem;margin:10vh auto 2rem;padding:2rem;background:var(--card);border:1px solid var(--line);
border-radius:var(--card-round)}
h1{font-size:1.35rem;line-height:1.3;margin:0 0 .75rem}
p{margin:0 0 1rem}
dl{display:grid;grid-template-columns:minmax(0,auto) minmax(6.5rem,1fr);gap:.35rem 1rem;margin:0 0 1.5rem}
dt{color:var(--soft)}
dd{margin:0;text-align:right;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
label{display:block;font-weight:600;margin:0 0 .25rem}
input,select,button,.button{width:100%;min-height:44px;font:inherit;
border:1px solid var(--line);border-radius:var(--round)}
input,select{padding:.5rem .75rem;margin:0 0 1rem;color:inherit;background:var(--page)}
button,.button{display:block;padding:.6rem 1rem;margin:0 0 .75rem;font-weight:600;text-align:center;
text-decoration:none;
cursor:pointer;color:var(--on-button);background:var(--button);border-color:var(--edge)}
button.second,.button.second{color:var(--text);background:transparent;border-color:var(--line)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
fieldset{border:0;margin:0 0 .5rem;padding:0;min-width:0}
legend{font-weight:700;padding:0;margin:0 0 .75rem}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:0 .75rem}
.total{border-top:1px solid var(--line);padding-top:.5rem}
.total dt,.total dd{font-weight:700;color:var(--text)}
.tabs{display:flex;flex-wrap:wrap;gap:.5rem;margin:0 0 1rem;padding:0;list-style:none}
.tabs a{display:block;min-height:44px;padding:.55rem .9rem;border:1px solid var(--line);border-radius:var(--round);
color:var(--text);text-decoration:none}
.tabs a[aria-current]{border-color:var(--accent);box-shadow:inset 0 0 0 1px var(--accent);font-weight:600}
a{color:var(--accent)}
.button{color:var(--on-button)}
[aria-invalid=true]{border-color:var(--bad);margin-bottom:.25rem}
.check{display:flex;gap:.6rem;align-items:start;font-weight:400;margin:0 0 1rem}
.check input{flex:none;width:1.25rem;min-height:1.25rem;margin:.15rem 0 0}
h2{font-size:1.05rem;margin:1.5rem 0 .5rem}
hr{border:0;border-top:1px solid var(--line);margin:1.25rem 0}
.note{color:var(--soft);font-size:.9rem}
.error{color:var(--bad);font-weight:600}
.brand{display:flex;flex-wrap:wrap;align-items:center;gap:.6rem;font-weight:600}
.brand span{min-width:0;overflow-wrap:anywhere}
.brand .badge{padding:.1rem .5rem;border:1px solid var(--line);border-radius:var(--round);color:var(--soft);
font-size:.8rem}
.big{font-size:1.6rem;line-height:1.2;font-weight:700;margin:0 0 .25rem;overflow-wrap:anywhere;
font-variant-numeric:tabular-nums}
.under dd .note{display:block}
dt .note{display:block}
.icons{display:flex;flex-wrap:wrap;gap:.35rem;margin:0 0 .75rem;padding:0;list-style:none}
.icons svg{display:block;width:2.4rem;height:1.5rem}
svg.icon{width:1.9rem;height:1.2rem;vertical-align:-.2rem}
main.wide{max-width:64rem}
@media(min-width:56rem){main.wide{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:0 3.5rem;
align-items:start;margin-top:6vh}
main.wide>.order{position:sticky;top:1.5rem;padding-right:3.5rem;border-right:1px solid var(--line);align-self:stretch}}
@media(max-width:32rem){main{max-width:none;margin:0;border:0;border-radius:0;min-height:100vh}}
"""

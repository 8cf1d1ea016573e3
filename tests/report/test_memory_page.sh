#!/usr/bin/env bash
# Opens the pages that `imgmill report` draws in a real browser, beside the reports they were drawn from: curves
# have their points inside the frame, figures are the report's, nothing is fetched, nothing overflows a phone.
#
# Environment: IMGMILL, the program (build/release/bin/imgmill).
source "$(dirname "${BASH_SOURCE[0]}")/browser.sh"

# The page has no script; a copy gets the report and one that compares. Each line it leaves is "ok ..." or "FAILED ...".
cat >probe.js <<'JS'
addEventListener('load', () => {
  const report = JSON.parse(document.getElementById('report').textContent);
  const {memory, history} = report, lines = [];
  const check = (what, expected, found) =>
    lines.push((expected === found ? 'ok ' : 'FAILED ') + what + ': expected ' + expected + ', found ' + found);
  const all = selector => [...document.querySelectorAll(selector)];
  const value = name => Number((document.querySelector('data.' + name) || {}).value);
  const inside = p => p.x >= 0 && p.x <= 1000 && p.y >= 0 && p.y <= 1000;
  const moments = history ? history.moments.length : 0;
  // A budget far above the curves is told in words.
  const far = (document.querySelector('#memory') || {textContent: ''}).textContent.includes('above this chart');
  for (const kind of ['resident', 'charged', 'leased'].concat(far ? [] : 'budget')) {
    const curve = document.querySelector('#memory polyline.' + kind);
    check('points of ' + kind, moments, curve ? curve.points.numberOfItems : 0);
    if (curve) check(kind + ' is inside the frame', true, [...curve.points].every(inside));
  }
  if (moments > 1) {
    const frame = document.querySelector('#memory .frame').getBoundingClientRect();
    const curve = document.querySelector('#memory polyline.resident');
    const drawn = curve.getBoundingClientRect();
    // From the first moment to the last one, of a run that ends with its last moment or batch: on a busy machine the
    // moments may be few, and begin late.
    const times = history.moments.map(m => m.ms), ends = times[times.length - 1];
    const share = (ends - times[0]) / Math.max(ends, ...history.batches.map(b => b.start_ms + b.ms));
    check('the curve is as wide as its share of the run', true, Math.abs(drawn.width / frame.width - share) < 0.02);
    check('the frame has a height', true, frame.height > 100);
    // The curve's own points, against the report: the same share of the way up at every moment.
    const levels = history.moments.map(m => m.resident), top = Math.max(...levels);
    const ys = [...curve.points].map(p => 1000 - p.y), highest = Math.max(...ys);
    check('the curve has the report\'s levels', true, levels.every((l, i) => Math.abs(l / top - ys[i] / highest) < 0.005));
    const budget = document.querySelector('#memory polyline.budget');
    check('a line for the budget, or words', !far, budget !== null);
    if (budget) check('no level is above the budget\'s line', true, ys.every((y, i) => y <= 1000 - budget.points[i].y + 0.1));
    check('marks on the axes', true, all('#memory .x span').length > 2 && all('#memory .y span').length > 2);
    check('both axes have units', true, /MiB|KiB|GiB/.test(document.querySelector('#memory .y').textContent) &&
      / (s|min|h)/.test(document.querySelector('#memory .x').textContent));
  }
  check('budget', memory.budget, value('budget'));
  check('fixed', memory.fixed, value('fixed'));
  check('clears', memory.clears, value('clears'));
  check('most leased', memory.peak_leased, value('peak-leased'));
  check('failures', (report.failed || []).length, all('#failures li').length);
  check('warnings', memory.warnings.length, all('#warnings li').length);
  check('the error is told', 'error' in report, all('#error').length === 1);
  check('steps', (report.steps || []).length, Math.max(0, all('#steps tr').length - 1));
  if (history) {
    const summary = history.summary;
    check('peak', summary.pools[0].peak, value('peak-resident'));
    check('peaks of the pools', String(summary.pools.map(p => p.peak)), String(all('data.pool-peak').map(d => Number(d.value))));
    check('budgets of the pools', String(summary.pools.map(p => p.budget)), String(all('data.pool-budget').map(d => Number(d.value))));
    check('batches', summary.batches, value('batches'));
    check('batches by rung', String(Object.values(summary.rungs).map(r => r.batches)), String(all('data.rung-batches').map(d => Number(d.value))));
    check('rungs taken', String(Object.values(memory.rungs)), String(all('data.rung-times').map(d => Number(d.value))));
    const dots = figure => all(figure + ' path.dots').reduce((n, p) => n + p.getAttribute('d').split('M').length - 1, 0);
    check('dots of batches', history.batches.length, dots('#batches'));
    check('dots of predictions', true, history.batches.length === 0 || dots('#prediction') > 0);
    check('marks of rungs', history.batches.filter(b => b.rung !== 'none').length, all('#memory .mark:not(.peak)').length);
    check('no batch is said', history.batches.length === 0, all('#no-batches').length === 1);
  }
  check('pictures and scripts that came with names', 0, document.images.length + document.scripts.length - 2);
  check('things fetched', 0, performance.getEntriesByType('resource').length);
  check('wider than the window of ' + innerWidth, false, document.documentElement.scrollWidth > innerWidth);
  document.body.innerHTML = '<pre id=lines></pre>';
  document.getElementById('lines').textContent = lines.join('\n');
});
JS

# look NAME WIDTH: draws NAME.json and looks at it in a window of that width.
look() {
  local name=$1 page=$1-memory.html
  rm -f "$page"
  "$IMGMILL" report "$name.json" >out 2>err || { note FAILED "$name: report exits $?: $(cat err)"; return; }
  [ "$(cat out)" = "$page" ] && note ok || note FAILED "$name: stdout is $(cat out)"
  {
    sed 's#</body>##; s#</html>##' "$page"
    echo '<script type="application/json" id="report">'
    sed 's#</#<\\/#g' "$name.json"
    echo '</script><script>'
    cat probe.js
    echo '</script></body></html>'
  } >probe.html
  local lines
  lines=$(dom probe.html "$2,900" | sed -n '/<pre id="lines">/,$p' | sed 's/<pre id="lines">//; s/^.*<body>//; s/<\/pre>.*//' | grep -E '^(ok|FAILED) ')
  [ -n "$lines" ] || { note FAILED "$name: the browser told nothing: $(tail -n 3 browser.err)"; return; }
  while read -r verdict what; do note "$verdict" "$name at $2: $what"; done <<<"$lines"
}

# Names and messages that would be HTML if they were not escaped; a budget so small that images wait.
mkdir photos && cp sample_data/*.jpg sample_data/*.png photos
echo text >'photos/<img src=x onerror=alert(1)>.jpg'
echo text >'photos/a&lt;b "quoted" <script>alert(1)<%script>.jpg'
"$IMGMILL" upscale photos -o large --method lanczos3 --scale 3 --memory 80MiB --report run.json >/dev/null 2>&1
look run 1200
look run 400
"$IMGMILL" upscale photos -o other --method lanczos3 --scale 3 --dry-run --report dry.json >/dev/null 2>&1
look dry 800
"$IMGMILL" run configs/quickstart.yaml --report pipeline.json >/dev/null 2>&1
look pipeline 1200
"$IMGMILL" upscale photos -o third --model sample_data/marble.jpg --report error.json >/dev/null 2>&1
look error 800
finish

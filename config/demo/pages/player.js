// Plays the clip, and shows which of its segments came. All URLs are relative, so that a token in the path is inherited;
// a cookie goes along by itself. Nothing in here knows anything of tokens but how the page's own address looks.

(() => {
  const video = document.getElementById('video');
  const marks = document.getElementById('segments');
  const fetched = document.getElementById('fetched');
  document.getElementById('credential').textContent = location.pathname.startsWith('/.t/')
    ? 'a token in the path, which relative URLs inherit'
    : 'a pass in a cookie, which your browser was given when you were let in';

  /** Statuses with which the gateway refuses whoever may not watch, or not any more. */
  const refusals = [401, 403, 410];
  /** How long it takes at most until a player that stands still is told. */
  const askEveryMs = 2000;

  let hls = null;
  let isOver = false;

  // A player would stop at a frozen picture and say nothing, so the page says it, and leads on.
  function end() {
    if (isOver) return;
    isOver = true;
    clearInterval(asks);
    hls?.destroy();
    video.pause();
    video.removeAttribute('src');
    video.load();
    video.hidden = true;
    document.getElementById('steps').hidden = true;
    document.getElementById('over').hidden = false;
    document.getElementById('over-title').focus();
    fetched.closest('div').hidden = true;
  }

  // The playlist is asked for without its content: that reaches players that fetch by themselves, and those that stand still.
  async function ask() {
    if (document.hidden) return;
    const answer = await fetch('master.m3u8', { method: 'HEAD', cache: 'no-store' }).catch(() => null);
    if (answer !== null && refusals.includes(answer.status)) end();
  }
  const asks = setInterval(ask, askEveryMs);

  document.getElementById('steps').hidden = !location.pathname.endsWith('/summer/');

  // Safari plays HLS without help, and then no script sees the segments.
  if (!window.Hls?.isSupported()) {
    video.src = 'master.m3u8';
    video.addEventListener('error', ask);
    fetched.textContent = 'the browser fetches them by itself';
    return;
  }

  // A small buffer: what the browser holds, it plays, whatever becomes of the access meanwhile. Loading begins with the page: without
  // a first segment a press on the picture plays nothing, and shows a wheel that turns for ever.
  hls = new window.Hls({ maxBufferLength: 2, maxMaxBufferLength: 4, backBufferLength: 0 });
  const seen = new Set();
  let total = 0;
  hls.on(window.Hls.Events.LEVEL_LOADED, (_event, { details }) => {
    total = details.fragments.length;
    // a mark a segment for a short clip; a long one has a dozen, which fill up in turn
    while (marks.children.length < Math.min(total, 12)) marks.append(document.createElement('li'));
  });
  hls.on(window.Hls.Events.FRAG_LOADED, (_event, { frag }) => {
    if (typeof frag.sn !== 'number') return;
    seen.add(frag.sn);
    marks.children[Math.floor((frag.sn * marks.children.length) / total)]?.classList.add('fetched');
    fetched.textContent = `${seen.size} of ${total}`;
  });
  hls.on(window.Hls.Events.ERROR, (_event, { fatal, details, response }) => {
    if (refusals.includes(response?.code)) return end();
    if (!fatal) return;
    fetched.classList.add('bad');
    fetched.textContent = response?.code ? `refused with ${response.code} (${details})` : details;
  });
  hls.loadSource('master.m3u8');
  hls.attachMedia(video);
})();

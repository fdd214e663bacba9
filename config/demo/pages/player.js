// Plays the clip, and shows which of its segments came. All URLs are relative, so that a token in the path is inherited;
// a cookie goes along by itself. Nothing in here knows anything of tokens but how the page's own address looks.

(() => {
  const video = document.getElementById('video');
  const marks = document.getElementById('segments');
  const fetched = document.getElementById('fetched');
  document.getElementById('credential').textContent = location.pathname.startsWith('/.t/')
    ? 'a token in the path, which relative URLs inherit'
    : 'a pass in a cookie, which your browser was given when you were let in';

  // Safari plays HLS without help, and then no script sees the segments.
  if (!window.Hls?.isSupported()) {
    video.src = 'master.m3u8';
    fetched.textContent = 'the browser fetches them by itself';
    return;
  }

  const hls = new window.Hls({ autoStartLoad: false });
  const seen = new Set();
  hls.on(window.Hls.Events.LEVEL_LOADED, (_event, { details }) => {
    while (marks.children.length < details.fragments.length) marks.append(document.createElement('li'));
  });
  hls.on(window.Hls.Events.FRAG_LOADED, (_event, { frag }) => {
    if (typeof frag.sn !== 'number') return;
    seen.add(frag.sn);
    marks.children[frag.sn]?.classList.add('fetched');
    fetched.textContent = `${seen.size} of ${marks.children.length}`;
  });
  hls.on(window.Hls.Events.ERROR, (_event, { fatal, details, response }) => {
    if (!fatal) return;
    fetched.classList.add('bad');
    fetched.textContent = response?.code ? `refused with ${response.code} (${details})` : details;
  });
  hls.loadSource('master.m3u8');
  hls.attachMedia(video);
  video.addEventListener('play', () => hls.startLoad(), { once: true });
})();

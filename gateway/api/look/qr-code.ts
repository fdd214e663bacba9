// Draws a URL as a QR code: SVG to show on a page, PNG to save or print. The URL is a secret for ten minutes.
// The library is loaded with the first code, since few visitors ask for one and the start of control should not wait for it.

/** Black on white in both themes: cameras need the contrast, and the white border belongs to the code (ISO/IEC 18004, 5.3). */
const options = { errorCorrectionLevel: 'M', margin: 4 } as const;

/** @returns the markup of an SVG */
export async function qrSvg(text: string): Promise<string> {
  const { default: library } = await import('qrcode');
  return await library.toString(text, { ...options, type: 'svg' });
}

/** @returns the PNG's bytes, 512 pixels wide */
export async function qrPng(text: string): Promise<Buffer> {
  const { default: library } = await import('qrcode');
  return await library.toBuffer(text, { ...options, type: 'png', width: 512 });
}

/** A `data:` URL for the `src` of an `img`; the pages' Content-Security-Policy allows pictures from such URLs. */
export function dataUrl(type: 'image/svg+xml' | 'image/png', bytes: string | Buffer): string {
  return `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
}

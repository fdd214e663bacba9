// A URL as a QR code: SVG for pages, PNG for whoever wants to keep or print it. The URL is a secret for ten minutes.
// The library is loaded for the first code: few ask for one, and everybody waits for a control that starts.

/** Black on white in both themes: cameras need the contrast, and the white border belongs to the code (ISO/IEC 18004, 5.3). */
const options = { errorCorrectionLevel: 'M', margin: 4 } as const;

export async function qrSvg(text: string): Promise<string> {
  const { default: library } = await import('qrcode');
  return await library.toString(text, { ...options, type: 'svg' });
}

/** @returns the PNG's bytes, 512 pixels wide */
export async function qrPng(text: string): Promise<Buffer> {
  const { default: library } = await import('qrcode');
  return await library.toBuffer(text, { ...options, type: 'png', width: 512 });
}

/** As the source of an `img`; the page's policy lets pictures stand in the page itself. */
export function dataUrl(type: 'image/svg+xml' | 'image/png', bytes: string | Buffer): string {
  return `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
}

// The built-in mark as pictures, for programs that take no SVG: browsers that ask for favicon.ico by themselves, telephones that put a page on
// their first screen. Drawn from `icon` of style.ts by a browser. A PNG that the operator chose as logo stands in their place.

/** 180 pixels wide, without round corners: telephones cut them. */
const touchIcon = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAALQAAAC0CAIAAACyr5FlAAAL5klEQVR4nOzdeVAW5x3A8R+HIJeg4gECiidiROWwXkFMBDWxHrHROLXjUUcTY6xGq53O' +
    'pJnqpBMzNVFjdTSp1cQmYyaxxhxOEMcDUYOIkUsMJJwRIQRe9AWCCPZX36lj0EfefXafZ3fZ32cY/4m8+27er3s8++6z7n0X/hYIeRhXIISB4iBMFAdh' +
    'ojgIE8VBmCgOwkRxECaKgzBRHISJ4iBMFAdhojgIE8VBmCgOwkRxECaKgzBRHISJ4iBMFAdhojgIE8VBmCgOwkRxECaKgzBRHISJ4iBMFAdhojgIE8VB' +
    'mNzB/FxdXLw8Pd1cXVtaWxubmlrv3AGiBfPFERnWNyo8PCIkNLx3UEhgYE//AD9v7/v/wo2Ghh/rbOXV1d9fr7haXpZVVJRXWgJEORdTzM8R4OubNCom' +
    'IWrE+Mhh/j4+oJCt3n42L+9E1uVjmRm2+nogzjF6HJNHRs+ZMGFa7GjQyJcX0g+lnUn5JhNIe4wbx/yEJxZNThwSEgoC5JeV7U9J/vDUCSBsRoxj9rjx' +
    'L06fOTA4GAQruPbDPz47cvhcGpCHcQsYGQWGMTQsbMvS5cufmt7Nzw/E6+7XZWps3Mj+A66Wl1ffqAPySwaKY9m0p3e/tLpfr14gV79evRc88WRDU9PF' +
    'wgIg9zFEHF28fbYtX7E4aQro5/HHhuPxTWpOTlNzM5C79I9jeL/wfS+vGz0kAvQ2KLhPUnTMpe8Kq2w2ILrHMXF41L61f+wV0BWMAY91Zo4Zl1tSXFJV' +
    'CZanZxyJo2L2rlnXyd1Yo7Qe7u54upRbUoIDrGBtul14w23GO39YA0aF7w3fIVibPnHgccbOF1eBse1auQrfJ1iYDnHgucnW5S/4dO4Mxubt2RnfJ75b' +
    'sCod4ti8ZOmAIOGjn5rA9/nGkqVgVbIPSHGka4mu4xlKDQzuY9nxMalnCkNDw/48bz5oraLmp1q7/dbt23ii0dXXL6hbN9AUvufU3OwrpaVgMVLj2PDs' +
    'PNDIqews/Mko+PZKWWnz7dv3/yc8N8YK4wYNjh8epdUZx5+efW7hljfAYuRdlZ01djwe34E6uIXYd+yrg6dPXa+tcebv41ZkbnzC4slJAb6+oM6aPbv+' +
    'c9Za12/lHXO8vWIlXgUFFXZ+fmTZ9rfS8nLtPzc6+Sv2xsav86/sTznm5uoaN3gIqDAwqM97x4+BlUiKY/7ESXPjJwIvHM9+fse2j8+k3m5pAeXwtzCp' +
    '1JxsHLfo4R8AXHBkvdJmyykuAsuQdCq7cHIS8Po8/fzMja9mqj5fwDOOmX/9C74a8Fo0ORGsREYck0dGR4Ryftvv4OmTK3fu4NtgPKi5pQVfDV8TuOA1' +
    'fVwXsAwZcTwzfgJwwX/lG/a+C1rD1+TefsyZwLkuZiQ8jgAfn6fieL47nldasmb3LhBj9e5deBwDyk2LHa3+xMcshMeRGB0LXF55b1+zRnuTB+F+6pX3' +
    '9wOXpFExYA3C45gUNQKU2/XFZ6JHrPEIF8+NQbkErjUyI+FxjIuMBIVsdvv2Tw+DeNuPHMZRNVBofOQwsAaxcUSG9Q3wUbyH/ldKcuOtJhDv51u3cLwV' +
    'FPL38cH1AgsQG0dUOM+XZT7iPdXkgCPxoBzfepmO2Dg4bmbEy2kVNU5dN9EEXqPBJYJCEWJu0jQasXH07x0ECp1W/lGpxBFHuPL1MiOxl+xDAgNBoQsF' +
    '34JcGcqXyLFeZiQ2Do6rXFfKZH+nhmOJPXmv3pmLwN2Kq4tLl1/OudMuPNpo880dCXCJFTU/KfoVP29vXDvo6ATG4eXpCQrV2m+CHjhGOzjWznQE7lbc' +
    'XBWXd0v6ZoN7uRxrZzoC42hpbQWFPHS6NZJjuRxrZzoCP4zGJsWjnF11uuDZ1VfxXDEca2c6AreNrXfu3GxoUPQrQd26y7+vGpeo9G6GGw0NVpjtVOyO' +
    's6pO8UQXQ0PDQC6OJf5YZ4kJPMTGUV5dDQrFDhoMcsUpXyLHepmR2DiKlE9xIX/ig3jlS7TI1B1i48gvLwOFMI7eXTW+n/ER8GiDI8erytfLjMTGkVXE' +
    'c5fHPBV3uCg1Nz4BlONbL9MRG0deaUmd8rnGFyVO6ezhAeJ5eXguVn5Dja3ebpGZ9oUP86Xl5YJCONqxasYsEG/VzFkcXyU/m5cH1iA8jpNZl0G5FdNn' +
    'RA8cBCLFDBz0wtO/BuVOcK2RGQmPI/nSReCy6XcL3d3cQIxObm5vLnseuBzLzABrEB6HzW4/mpEOyg3r20/9lA0s5996u29Pnnm0v7yQbp0ntsi4tPjJ' +
    'mTPAZfroMZsFTMmVvnVH9y6ck0EcSuNcFzOSEUfKN5ncAwPz4hN2rFjZSaP9C+6nkl97vWcA5/e48svKLPUUH0lfStiXwj/tCW4/Pn11Y4zq41M8wj33' +
    '5rbBfUKA1/6UZLASSZO35BQX4WfM/RSVHv4BuAnx7NQps7CQYzoGHDV5efacvy9drmby04JrP6zf+w5Yibxpn242NkyNiQMV4gYPWTDpSU8Pj9KqSnuj' +
    'UzM/4Uj876dM3bHipfjHhoM6mz74d741Rs3vkfoYr/1r12t1Xe1Udtbp7KwL7NkE8eruRO1mEyyurEzYsBYsRmocQ8PCjm78G2itoqam1n7z//OQ+gZ1' +
    '6w4CbD18CH/ASqTOYFxdV9fQ1PS46i18G35eXnhQgnsQ/NPPS9nNEM4bEzEU/zyffwUsQ/b01hcLCyJCQgcG9wETslofOjyM53ROTlJ0jJznP2rOUn3o' +
    'EEdTc/Ol7wpnjR1ntGc0Ock6fejzGK8qmy2npHj2uPFgThbpQ7dnvJVUVeaWlMwYMxbMyQp96PkAwO+vV+D+BY8/PGj/Ykg6PzoUtx+pOdm/GhJBx6cP' +
    'vnJIYA/Hj153QkgdBGPp4u2Dl+anxaoaXNeRhuNj2MTqWc84mhO0COcZ4nHleP7yRfrXIsbH5NBq+4FZ4NVB3FQ8dBH4g5sQmVsRQ8ThgONjX13MCAkM' +
    '7NerN0iEuzaO+TDbUN8HloE/j/gLGM1vJsTjIqT1YaA4UPWNusPnzuJVrgHBwSqf3OOMwmvXNn14wDH3/oNbcqXU9NFuGfdgIh+fSQUpjBWHA14Zf/94' +
    'SmVtLf6PCPT3BwGulpdtOfTJ+n/uyS/731V4xyeqVx/OlwF345C28TBiHA44SnbgxPGc4mJ3N7dBfTS7FnM0I33zRwc3fnCgzTOX9OpDURkO0jYehjhb' +
    'aVeAj09idOykqBHjIiM5jg/q6uvT8nJPZl1OvnTR9sjpvzg+qody8uSCe3H9Fi0A8cwRx/0iw/pGhYcPCQnt3zsIj17xMn2bOQtvNjRU1dlww1t0vQL3' +
    'UFlFRYruXpTWh5oFPff6axIG38w3NImfdJsP29XFxcvT083VtaW1tbGpSeWcO45PVH0fjldg9aFVgkIZ95jDeXfuziWKgyX4pyZzMYk+/lBfxrp394B4' +
    'HSEOEcT1ock2Q85oKcXBJKIPrcqQc7WP4ngUbftwXDcB1fBoFKSgONqhYR/qXwTulmHR4XNj0qoP9eScwd5DcTjFCH1ILgMoDufp24f8MoDiUESvPnQp' +
    'AygOpeT3oVcZQHFwkNmHjmUAxcFHTh/6lgEUBzfRfeheBlAcaojrwwhlAMWhkog+DFIGUBzqaduHccoAikMTGvaB100ojo5G3++vC0JxaKbj9UFxaKmD' +
    '9UFxaKwj9UFxaK/D9EFxCNEx+qA4ROkAfVAcApm9D4pDLFP3QXEIZ94+KA4ZTNoHxSGJGfugOOQxXR8Uh1Qa9iFh8ieKQzat+pAw+RPFoQNN+pAwcxzF' +
    'oQ+t+hC68TDljPQdg/r5pUTfG0Fx6Emr+ccEoTh0ZuQ+KA79cfcheqiD4jAEvj5Ex0FnK0bBcf4ienIwisNAFPUhYU5BisNYnOxDzoObKA7DabcPaY/0' +
    'Mt/E+NbheNjbvUoc0UiboRYoDvIIrkAIA8VBmCgOwkRxECaKgzBRHISJ4iBMFAdhojgIE8VBmCgOwkRxECaKgzBRHISJ4iBMFAdhojgIE8VBmCgOwkRx' +
    'ECaKgzBRHISJ4iBMFAdhojgIE8VBmCgOwkRxECaKgzBRHITpvwAAAP//J+9jtQAAAAZJREFUAwAVFdBTuBJoCQAAAABJRU5ErkJggg==',
  'base64',
);

/** 32 pixels wide. */
const tabIcon = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAACAAAAAgCAYAAABzenr0AAADDUlEQVR4nMSXTWgTQRTH3262SgVrJVqslbb0gyr9VC8elIKCaPELDyLaqviB1SJ4LIhS' +
    'evQkSFVQRE0QT1ZRSlGq9KAIramtQk3bBBVDPPQiHipJzTr/SSfdbGZj2O7aHwyZnZnd/5s3b154GhmoaGsrTaiJDp2ohT3WsJZHzhBnLagQ9akJtSfs' +
    '830TE4rolB1rPU2KfsNBUWtjdOX81wf+O3jwGMRvi2eX8bBt7ytsbIz8HB0LKHD7HzUxRe7v3Ezck1CrNJz5IoiDPGhrcwGXlSWaRjuaNlJFcTEReyH0' +
    'I0qvPoxQbHaWFgK0NUpGuyXtLXuoY+9+Wp6fnzb+a2aGep49pVt9z2kB1HgKmxq6rWavnjpDZ5kBS/MyTwhjW2vraK3XSy9HAmQTDwzoks1g5xAXTEYi' +
    '1Pv2DQVCU8wby8hbUMDHa8vK6XcsRsOTE2QHpez4Ud08iDN/f/1myu13X/RT90N/2porR1rp5M5dvI/j2HzhnK2YUGWD21nACXHs3CwOMIY5gLUIUjtI' +
    'DahcU5zqD34as3x58OP8HL8hNtCko4qhr5M1ua7LgtQD4Wg01W+ub7B8ublufg65wTEDBliSQWCB6pISHnBmei938TmAtUhMdpAeAaIZSabz0GH+jGjf' +
    'VlufjAc96RUhDkbDIdtZ0TIP4F4jyeCeA9z7TVXVvIkcICgtKuK/7z6Pk2MGAGQ4JJnGisqMbAi3D00EU+Jb1m/IMOLigYP0qPNSxrgRaSIyg8SE3MCv' +
    'p5IM0oG5PyOIoAmuPXnMm3m8/ESr9Nsa5QCE+oeHpHMQA0IMv/CG8IhxjYysR5Arwr1CdN2q1Wni2QzIyQO5YPaEMCybOHDEA0ZBYPZEttvhqAEyI2S3' +
    'w1UDrIzA2Pfp6Yy1SMVxcgFz8BlvhYE4gjDIWh25ZATA7i2OIKihXNJdMsBohAxeqqFWI5eO4R/Eoa3yQpHVavS/YZrQ5rUgajTUaswnu8n9+hDFaXta' +
    'cSqM8DY03WdFKo5jBWsryTlj8M1xdub3WD3Y9sXnfy0m/gIAAP//WRiLSAAAAAZJREFUAwDVPjlsw51KlgAAAABJRU5ErkJggg==',
  'base64',
);

/** The picture for apple-touch-icon.png. @param logo  the operator's, where it is a PNG */
export function touchIconOf(logo: Buffer | null): Buffer {
  return logo ?? touchIcon;
}

/** The bytes for favicon.ico: one picture, kept as PNG inside, as every browser takes it. @param logo  as for `touchIconOf`; left out when wider than an icon can be */
export function tabIconOf(logo: Buffer | null): Buffer {
  const picture = logo !== null && Math.max(logo.readUInt32BE(16), logo.readUInt32BE(20)) <= 256 ? logo : tabIcon;
  const head = Buffer.alloc(22);
  head.writeUInt16LE(1, 2); // an icon
  head.writeUInt16LE(1, 4); // with one picture
  // a side of 256 pixels is written as 0
  head.writeUInt8(picture.readUInt32BE(16) & 0xff, 6);
  head.writeUInt8(picture.readUInt32BE(20) & 0xff, 7);
  head.writeUInt16LE(1, 10);
  head.writeUInt16LE(32, 12);
  head.writeUInt32LE(picture.length, 14);
  head.writeUInt32LE(head.length, 18);
  return Buffer.concat([head, picture]);
}

// Package chart draws the charts of a report as small, theme-aware SVG
// fragments on top of gonum.org/v1/plot. It does not read results, choose what
// to show or write HTML: a [Chart] is data, and [Chart.SVG] turns it into text,
// [Chart.PNG] into a picture.
//
// gonum lays the axes, ticks and data out; the canvas of this package writes
// the drawing down. It exists because a report is read in light and dark, on
// paper and under a content policy without inline styles:
//
//   - a colour is a CSS variable with a fallback, `var(--c1,#1d5fd6)`, in a
//     presentation attribute, so that the page decides the theme and a chart cut
//     out of the page still has colours;
//   - text carries its laid-out width (textLength), so that a reader without the
//     font used for layout sees the same line breaks and no overlap;
//   - neighbouring strokes and fills of one style become one path, which keeps a
//     chart of a few hundred points within some ten kilobytes.
//
// Axes are linear, logarithmic, or "nines": the position of a quantile p is
// -log10(1-p), so that 90 %, 99 % and 99.9 % are equally far apart and the tail
// of a latency distribution is as visible as its body.
package chart

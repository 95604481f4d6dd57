// Package browser opens pages in headless Chromium, for tests. It knows nothing of the pages: it reports what the
// browser complains about, and shows a page as on a desk or a phone, in the light or in the dark.
package browser

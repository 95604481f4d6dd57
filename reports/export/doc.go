// Package export writes a report in the forms that other programs read: Markdown,
// JSON, CSV, pictures, PDF, and the Parquet file and histogram log of a run that
// has none. It computes no figure: each form has what the page has.
//
// A cell of a table is text, rounded for reading, in every form. Values to their
// last digit are those of the charts (JSON and CSV), of the benchmark lines (JSON)
// and of the samples (Parquet).
//
// [Write] is all of it; [Formats] lists the forms.
package export

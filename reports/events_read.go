package reports

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
)

// readEvents reads the samples of events.parquet, column by column. What cannot be
// read is a warning that names the file and the byte offset: a damaged column
// costs the row group that it is in, a row that is no sample itself alone. Its
// error is that of opening the file.
func (l *loaded) readEvents(dir string) error {
	f, err := os.Open(filepath.Join(dir, EventsFile))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	file, at, err := openParquet(f, info.Size())
	if err != nil {
		l.damaged(EventsFile, at, 0, "%v; nothing in it can be read", err)
		return nil
	}
	e := eventReader{texts: make(map[string]string)}
	if err := e.find(file); err != nil {
		l.damaged(EventsFile, info.Size(), 0, "%v; nothing in it can be read", err)
		return nil
	}
	for i, group := range file.RowGroups() {
		l.eventGroup(&e, file, i, group)
	}
	return nil
}

// openParquet reads the footer of a Parquet file, the last of what is written. Its
// error comes with the offset of what it is about.
func openParquet(f *os.File, size int64) (file *parquet.File, at int64, err error) {
	var end [8]byte
	if size < 12 {
		return nil, size, errors.New("the file ends here, expected a Parquet file")
	}
	if _, err := f.ReadAt(end[:], size-8); err != nil {
		return nil, size - 8, err
	}
	if string(end[4:]) != "PAR1" {
		return nil, size - 4, fmt.Errorf("%q, expected \"PAR1\" at the end: the file was cut off or written over", end[4:])
	}
	at = size - 8 - (int64(end[0]) | int64(end[1])<<8 | int64(end[2])<<16 | int64(end[3])<<24)
	defer func() {
		if p := recover(); p != nil { // a footer is trusted by the library in more than one place
			err = fmt.Errorf("the footer makes no sense: %v", p)
		}
	}()
	file, err = parquet.OpenFile(f, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	return file, at, err
}

// An eventReader knows where the columns of a file are.
type eventReader struct {
	place [numColumns]int // index among the file's columns, -1 if absent
	texts map[string]string
}

// find looks the columns up by name: a later version may add and move some.
func (e *eventReader) find(file *parquet.File) error {
	for c := range numColumns {
		e.place[c] = -1
		if col := file.Root().Column(columnNames[c]); col != nil && col.Leaf() {
			e.place[c] = col.Index()
		}
	}
	for _, c := range []column{colStage, colKind, colValue} {
		if e.place[c] < 0 {
			return fmt.Errorf("no column %s, expected the samples of a run", columnNames[c])
		}
	}
	return nil
}

// eventGroup reads the samples of a row group.
func (l *loaded) eventGroup(e *eventReader, file *parquet.File, index int, group parquet.RowGroup) {
	n := group.NumRows()
	if n < 0 || n > maxGroupRows {
		l.damaged(EventsFile, offset(file, index, 0), 0, "a row group of %d rows, expected at most %d", n, maxGroupRows)
		return
	}
	rows, got := make([]Sample, n), make([]columns, n)
	for c := range numColumns {
		if e.place[c] < 0 {
			continue
		}
		if err := e.column(group, c, rows, got); err != nil {
			l.damaged(EventsFile, offset(file, index, e.place[c]), int(n), "column %s of row group %d: %v; its %d rows skipped",
				columnNames[c], index, err, n)
			return
		}
	}
	for i := range rows {
		if err := rows[i].validRead(got[i]); err != nil {
			l.damaged(EventsFile, offset(file, index, 0), 1, "row %d of row group %d: %v; row skipped", i, index, err)
			continue
		}
		l.add(rows[i])
	}
}

// column reads a column of a row group into samples, and notes where it is not null.
func (e *eventReader) column(group parquet.RowGroup, c column, rows []Sample, got []columns) (err error) {
	defer func() {
		if p := recover(); p != nil { // of the decoder, for pages that are damaged but have the right checksum
			err = fmt.Errorf("cannot be decoded: %v", p)
		}
	}()
	pages := group.ColumnChunks()[e.place[c]].Pages()
	defer pages.Close()
	at := 0
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		err = e.page(page, c, rows, got, &at)
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
	if at != len(rows) {
		return fmt.Errorf("%d values, expected %d", at, len(rows))
	}
	return nil
}

// page reads a page of a column, from row *at on.
func (e *eventReader) page(page parquet.Page, c column, rows []Sample, got []columns, at *int) error {
	var buf [256]parquet.Value
	for values := page.Values(); ; {
		n, err := values.ReadValues(buf[:])
		if n == 0 && err == nil {
			return io.ErrNoProgress
		}
		for _, v := range buf[:n] {
			if *at >= len(rows) {
				return fmt.Errorf("more than %d values", len(rows))
			}
			if !v.IsNull() {
				if err := rows[*at].set(c, v, e.texts); err != nil {
					return err
				}
				got[*at] |= cols(c)
			}
			*at++
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// offset returns where a column of a row group begins in the file.
func offset(file *parquet.File, group, place int) int64 {
	m := file.Metadata().RowGroups[group].Columns[place].MetaData
	if m.DictionaryPageOffset > 0 {
		return min(m.DictionaryPageOffset, m.DataPageOffset)
	}
	return m.DataPageOffset
}

package main

func Example() {
	main()
	// Output:
	// berlin: inserted
	// paris: inserted
	// tokyo: inserted
	// berlin: packet for 11
	// paris: packet for 1f
	// tokyo: packet for ff
	// paris: packet for 18
}

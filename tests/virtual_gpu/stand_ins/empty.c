// A library that has nothing in it.

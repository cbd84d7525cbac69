//===- NoTable.cpp - A library that has neither a table nor a driver's functions -------------===//
extern "C" int qrtNothing() { return 0; }

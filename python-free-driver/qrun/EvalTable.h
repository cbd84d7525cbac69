//===- EvalTable.h - Arms of qrun eval as one table for people -------------------------------===//
#ifndef QRUN_EVALTABLE_H
#define QRUN_EVALTABLE_H

#include "Support/Json.h"

#include <cstdio>

namespace qrt {

/// One line per arm of the JSON of qrun eval --tasks.
void printArmTable(const OrderedJson &json, std::FILE *out);

} // namespace qrt

#endif // QRUN_EVALTABLE_H

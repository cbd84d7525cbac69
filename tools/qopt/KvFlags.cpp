//===- KvFlags.cpp - Flags of the KV cache ---------------------------------------------------===//
#include "KvFlags.h"

#include "CalibrationFlags.h"

using namespace llvm;

namespace qopt {

KvFlags::KvFlags()
    : kv8("kv8", cl::desc("Shorthand for --kv-type int8"), cl::cat(optionCategory())),
      kv4("kv4", cl::desc("Shorthand for --kv-type int4"), cl::cat(optionCategory())),
      kvType("kv-type", cl::value_desc("TYPE|k=TYPE,v=TYPE"),
             cl::desc("KV cache of the runtime: f32, f16, bf16, int8 or int4 (default f32)"),
             cl::cat(optionCategory())),
      kvSink("kv-sink", cl::desc("First tokens that a coded cache also keeps in f16"),
             cl::cat(optionCategory())),
      kvWindow("kv-window", cl::desc("Last tokens that a coded cache also keeps in f16"),
               cl::cat(optionCategory())) {}

void KvFlags::addTo(RecipeFlags &keys) {
  keys.add(kvType);
  keys.add(kvSink);
  keys.add(kvWindow);
  for (const cl::Option *preset : std::initializer_list<const cl::Option *>{&kv8, &kv4})
    for (const cl::Option *key :
         std::initializer_list<const cl::Option *>{&kvType, &kvSink, &kvWindow})
      keys.hide(*key, *preset);
}

qrt::Status KvFlags::read(qrt::KvSpec &kv, bool emits) const {
  qrt::KvOptions options;
  if (kv8 + kv4 + (kvType.getNumOccurrences() > 0) > 1)
    return qrt::invalidArgument("--kv8, --kv4 and --kv-type exclude each other");
  const std::string text = kv8 ? "int8" : kv4 ? "int4" : kvType.getValue();
  if (kv8 || kv4 || kvType.getNumOccurrences())
    QRT_RETURN_IF_ERROR(qrt::parseKvTypes(text, options).withContext("--kv-type"));
  if (kvSink.getNumOccurrences())
    options.sink = kvSink;
  if (kvWindow.getNumOccurrences())
    options.recent = kvWindow;
  QRT_ASSIGN_OR_RETURN(kv, qrt::resolveKv({}, options));
  if (kv != qrt::KvSpec() && emits)
    return qrt::invalidArgument("--kv8, --kv4 and --kv-type have no effect with --emit");
  return qrt::Status::ok();
}

} // namespace qopt

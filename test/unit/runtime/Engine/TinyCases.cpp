//===- TinyCases.cpp - Tiny models with a bound for what an engine may be off ----------------===//
#include "TinyCases.h"

namespace qrt::test {

void TinyCases::addStructures(double tolerance) {
  add("f32", tolerance, [](TinyConfig &) {});
  add("f32_window", tolerance, [](TinyConfig &c) { c.window = 5; });
  add("f32_multi_head", tolerance, [](TinyConfig &c) { c.kvHeads = 4; });
  add("f32_one_kv_head", tolerance, [](TinyConfig &c) { c.kvHeads = 1; });
  add("f32_interleaved", tolerance, [](TinyConfig &c) {
    c.interleavedRope = true;
    c.ropeScaling = 1.25;
  });
  add("f32_softcap", tolerance, [](TinyConfig &c) { c.softcap = 3; });
  add("f32_gpt", tolerance, [](TinyConfig &c) {
    c.gptStyle = true;
    c.window = 7;
  });
  add("f32_no_select", tolerance, [](TinyConfig &c) { c.selectRows = false; });
  add("f32_hadamard", tolerance, [](TinyConfig &c) { c.hadamardBlock = 16; });
  add("f32_hadamard_base", 1.5 * tolerance, [](TinyConfig &c) {
    c.hadamardBlock = 80;
    c.hadamardBase = 5;
  });
}

} // namespace qrt::test

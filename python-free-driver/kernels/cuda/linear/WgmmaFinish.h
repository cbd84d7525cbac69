//===- WgmmaFinish.h - the end of a tile of WgmmaLinear ---------------------------------------===//
//
// A warpgroup stores its sums from the registers: eight lanes hold eight consecutive outputs of a
// token (32 bytes of f32). A warp has rows firstN .. firstN + 15 of each block of 64 outputs.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LINEAR_WGMMAFINISH_H
#define QRT_KERNELS_CUDA_LINEAR_WGMMAFINISH_H

#include "kernels/cuda/device/Hopper.h"
#include "kernels/cuda/linear/Epilogue.h"
#include "kernels/cuda/linear/WgmmaPlan.h"

namespace qrt::cuda {

template <int tokens>
struct WgmmaFinish {
  static constexpr int blocks = 2, registers = tokens / 2;
  using Sums = float[blocks][registers];

  static QRT_DEVICE void run(const LinearParams &op, const LinearWork &work, const WgmmaPlan &plan,
                             const WgmmaItem &item, int group, int64_t firstToken, int64_t firstN,
                             uint32_t *flags, Sums &sums) {
    if (item.splits > 1 && !addSplits(work, plan, item, group, flags + group, sums))
      return;
    if (op.dst.type == DType::F32)
      store<true>(op, work, firstToken, firstN, sums);
    else
      store<false>(op, work, firstToken, firstN, sums);
  }

private:
  /// Stores this split's sums; in the warpgroup that comes last the sums of all, added in order.
  static QRT_DEVICE bool addSplits(const LinearWork &work, const WgmmaPlan &plan,
                                   const WgmmaItem &item, int group, uint32_t *flag, Sums &sums) {
    constexpr int quads = blocks * registers / 4;
    const int cut = item.tile - plan.wholeTiles, thread = threadIndex() % 128;
    auto place = [&](int split) {
      return reinterpret_cast<float4 *>(work.partials) +
             ((int64_t(cut) * plan.splits + split) * 2 + group) * (quads * 128) + thread;
    };
    float4 *own = place(item.split);
    QRT_UNROLL
    for (int i = 0; i < quads; ++i) {
      const float *s = &sums[i * 4 / registers][i * 4 % registers];
      own[i * 128] = make_float4(s[0], s[1], s[2], s[3]);
    }
    syncSome<128>(1 + group);
    if (thread == 0) {
      fenceGlobal(); // of all threads' writes, which the barrier has put before
      uint32_t *counter = work.counters + cut * 2 + group;
      const bool last = atomicAdd(counter, 1) + 1 == uint32_t(plan.splits);
      if (last)
        storeGlobal(counter, 0u); // for the next launch
      fenceGlobal();
      storeShared(flag, last ? 1u : 0u);
    }
    syncSome<128>(1 + group);
    if (loadShared(flag) == 0)
      return false;
    constexpr int chunk = quads < 8 ? quads : 8;
    QRT_UNROLL
    for (int first = 0; first < quads; first += chunk) {
      float4 total[chunk] = {};
      QRT_NO_UNROLL
      for (int split = 0; split < plan.splits; ++split) {
        const float4 *from = place(split);
        QRT_UNROLL
        for (int i = 0; i < chunk; ++i) {
          const float4 v = __ldcg(from + (first + i) * 128);
          total[i].x += v.x;
          total[i].y += v.y;
          total[i].z += v.z;
          total[i].w += v.w;
        }
      }
      QRT_UNROLL
      for (int i = 0; i < chunk; ++i) {
        float *s = &sums[(first + i) * 4 / registers][(first + i) * 4 % registers];
        s[0] = total[i].x;
        s[1] = total[i].y;
        s[2] = total[i].z;
        s[3] = total[i].w;
      }
    }
    return true;
  }

  template <bool wide>
  static QRT_DEVICE void storeAt(const Matrix &dst, int64_t at, float value, bool &overflow) {
    if constexpr (wide) {
      storeGlobal(static_cast<float *>(dst.data) + at, value);
    } else {
      const uint32_t bits = dst.type == DType::F16 ? packF16(clampToF16(value, overflow), 0.0f)
                                                   : packBf16(value, 0.0f);
      storeGlobal(static_cast<uint16_t *>(dst.data) + at, static_cast<uint16_t>(bits));
    }
  }

  template <bool wide>
  static QRT_DEVICE void store(const LinearParams &op, const LinearWork &work, int64_t firstToken,
                               int64_t firstN, const Sums &sums) {
    const int64_t token = firstToken + laneIndex() % 4 * 2;
    const int left = op.rows - token < tokens ? int(op.rows - token) : tokens;
    const auto *residual = static_cast<const float *>(op.add.data);
    bool overflow = false;
    QRT_UNROLL
    for (int block = 0; block < blocks; ++block) {
      const int64_t n = firstN + block * 64 + laneIndex() / 4;
      const bool inside = n < op.weight.desc.n, inside8 = n + 8 < op.weight.desc.n;
      const float bias = op.bias && inside ? loadConstant(op.bias + n) : 0.0f;
      const float bias8 = op.bias && inside8 ? loadConstant(op.bias + n + 8) : 0.0f;
      int64_t to = token * op.dst.stride + n, from = token * op.add.stride + n;
      constexpr int batch = 4; // of eight tokens, whose residuals are on their way at once
      QRT_UNROLL
      for (int first = 0; first < tokens / 8; first += batch) {
        float add[batch][4] = {};
        if (residual) {
          QRT_UNROLL
          for (int i = 0; i < batch; ++i, from += 8 * op.add.stride) {
            QRT_UNROLL
            for (int odd = 0; odd < 2; ++odd) {
              const bool row = 8 * (first + i) + odd < left;
              const float *at = residual + from + odd * op.add.stride;
              if (row && inside)
                add[i][odd] = loadGlobal(at);
              if (row && inside8)
                add[i][2 + odd] = loadGlobal(at + 8);
            }
          }
        }
        QRT_UNROLL
        for (int i = 0; i < batch; ++i, to += 8 * op.dst.stride) {
          QRT_UNROLL
          for (int odd = 0; odd < 2; ++odd) {
            const bool row = 8 * (first + i) + odd < left;
            const float *s = &sums[block][4 * (first + i) + odd];
            const int64_t at = to + odd * op.dst.stride;
            if (row && inside)
              storeAt<wide>(op.dst, at, s[0] + bias + add[i][odd], overflow);
            if (row && inside8)
              storeAt<wide>(op.dst, at + 8, s[2] + bias8 + add[i][2 + odd], overflow);
          }
        }
      }
    }
    if (overflow && work.faults)
      atomicOr(work.faults, HalfOverflow);
  }
};

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LINEAR_WGMMAFINISH_H

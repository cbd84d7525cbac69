//===- CudaProgram.h - A program's instructions as launches on a device ----------------------===//
// Bound once per engine: weights, places, attributes and workspaces are looked up here, so that a
// run only launches. A run is the body, on all rows, and the tail behind SelectRows, on the rows
// whose logits are wanted; the tail works row by row, so it can run in slices.
// Nothing here waits for the device: body and tail can be captured in a graph.
#ifndef QRT_ENGINE_CUDAPROGRAM_H
#define QRT_ENGINE_CUDAPROGRAM_H

#include "Engine/CudaPlan.h"
#include "Engine/CudaWeights.h"
#include "qrt/KvSpec.h"

#include <functional>
#include <map>
#include <vector>

namespace qrt {

/// What a run works on; pointers are those of device memory.
struct CudaRun {
  cuda::StepState step;
  int64_t rows = 0;
  int64_t selectedRows = 0; ///< of step.selectedRows: how many the tail works on
  bool decode = false;      ///< at most one row per sequence
  bool alternate = false;   ///< multiply with the second weight set
  int64_t maxContext = 0;   ///< no sequence is longer
};

/// Upper bounds of what runs ask for; memory is allocated for them once.
struct CudaLimits {
  int64_t rows = 0;         ///< of the body
  int64_t selectedRows = 0; ///< of the tail
  int64_t decodeRows = 0;   ///< of a run with `decode`
  int64_t maxContext = 0;
  KvSpec kv;
  bool alternates = false; ///< runs may ask for the second weight set
};

class CudaProgram {
public:
  /// Decides places and sizes; takes no device memory but asks the table of `device`, which must
  /// outlive the program. Unsupported: an instruction without a kernel, naming it.
  static Result<CudaProgram> create(const Model &model, CudaDevice &device,
                                    const CudaLimits &limits);

  /// Device memory of weights; of arenas and workspaces; of one KV block in all layers.
  int64_t weightBytes() const { return weightSizes.bytes + weightSizes.staging; }
  int64_t arenaBytes() const { return totalBytes; }
  int64_t kvBlockBytes() const { return blockBytes; }
  /// Of a block of precise tokens beside codes; 0: there are none.
  int64_t preciseBlockBytes() const { return preciseBytes; }

  /// Uploads the weights and allocates arenas; the pools hold blocks of kvBlockBytes() and
  /// preciseBlockBytes().
  Status load(void *kvPool, void *precisePool);

  Status body(const CudaRun &run) const;
  Status tail(const CudaRun &run) const;
  /// Row r of the logits: of all rows, or with a tail of the selected ones.
  const float *logitsRow(int64_t row) const;
  int64_t logitsStride() const { return plan.places[logitsValue].stride(); }
  bool hasTail() const { return plan.places[logitsValue].selected; }

private:
  using Launcher = std::function<Status(const CudaRun &)>;
  struct RopeTable {
    int32_t tensorIndex;
    int64_t half;
    float scaling;
    float *cos = nullptr, *sin = nullptr;
  };
  struct Bound {
    size_t index; ///< of the instruction
    Launcher launch;
  };
  /// Linears of one input that run as one where there are few rows: `members` at the place of the
  /// first, or gate and up with their product at its place.
  struct Fusion {
    std::vector<size_t> members; ///< instructions; gated: gate, up
    bool gated = false;
    size_t product = 0;   ///< gated: the GatedActivation
    int64_t normRows = 0; ///< up to so many rows the RmsNorm before them is part of the launch
    size_t norm = 0;      ///< normRows > 0: that instruction, which runs here in any case

    std::vector<size_t> inOrder() const; ///< members, as the program has them
  };

  /// Of an attention: the Rope instructions that are part of its launch, -1: none.
  struct Rotation {
    int query = -1, key = -1;
  };

  CudaProgram(const Model &model, CudaDevice &device, const CudaLimits &limits);
  Status checkKernels() const;
  Status planMemory();
  Result<int64_t> layOutCaches(const KvSpec &types,
                               std::vector<std::pair<int64_t, int64_t>> &offsets) const;
  Status planWorkspaces();
  Status planInt8();
  /// The instruction behind `index` that adds to the result of this Linear, if one launch can do
  /// both.
  bool addsToLinear(size_t index) const;
  bool isSelected(size_t index) const;
  /// A product of 8-bit activations.
  bool isInt8(const Instruction &instruction) const;
  bool roundAlike(const Instruction &a, const Instruction &b) const;
  std::vector<size_t> int8Order(bool selected) const;
  /// Whether the last such product to run before this one has left behind the same rounded input.
  bool findsRounded(size_t index) const;
  /// Fills `fusions`, `fusionOf`, `fused` and `rotations`.
  void planFusions();
  bool rotates(size_t index, Rotation &rotation) const;
  bool gatesTwoLinears(size_t index, Fusion &fusion) const;
  bool runsTogether(const Fusion &fusion) const;
  void takeNorm(Fusion &fusion);
  /// All that does not depend on device memory.
  cuda::LinearGroupParams groupParams(const Fusion &fusion) const;
  cuda::LinearGroupParams normedParams(const Fusion &fusion) const;
  Launcher bindInput(const Fusion &fusion, cuda::Matrix &src);
  Launcher bindFusion(const Fusion &fusion);
  bool converts(size_t linear) const;
  Status run(const std::vector<Bound> &list, const CudaRun &run) const;
  int64_t rowsOf(const CudaPlace &place, const CudaRun &run) const {
    return place.selected ? run.selectedRows : run.rows;
  }
  const CudaPlace &place(int32_t value) const { return plan.places[value]; }
  cuda::Matrix matrix(const CudaPlace &place) const;
  cuda::Matrix matrix(int32_t value) const { return matrix(place(value)); }
  const cuda::Weight &weight(int32_t value) const;
  const float *vector(int32_t value) const;
  int64_t vectorLength(int32_t value) const;
  size_t ropeTable(const Instruction &instruction);
  template <class Params>
  Status launch(int (*function)(const cuda::Launch &, const Params &), const Params &params,
                const char *name) const {
    return device->launched(function(device->launch(), params), name);
  }

  Launcher bind(size_t index);
  Launcher bindEmbed(const Instruction &instruction);
  Launcher bindLinear(const Instruction &instruction, const Instruction *add);
  /// The launch of a Linear with one of its weights; bias, sum and places are those of `params`.
  Launcher bindProduct(cuda::LinearParams params, const CudaPlace &from, int32_t tensorIndex,
                       DType type);
  Launcher bindInt8(cuda::LinearParams params, size_t index);
  /// Rounds the input of product `index`, unless it finds it rounded.
  Launcher bindRounding(size_t index);
  cuda::Matrix roundedInput() const { return {rounded, 0, DType::I8}; }
  /// Adds the product of a Linear's outliers with `src`, its input in any type, to that of its
  /// weight.
  Launcher bindOutliers(const Instruction &instruction, cuda::Matrix src, cuda::Matrix dst);
  Launcher bindNorm(const Instruction &instruction);
  Launcher bindRope(const Instruction &instruction);
  Launcher bindAttention(size_t index);
  Launcher bindGated(const Instruction &instruction);
  Launcher bindUnary(const Instruction &instruction);
  Launcher bindBinary(const Instruction &instruction);
  Launcher bindHadamard(const Instruction &instruction);
  Launcher bindCopyColumns(const Instruction &instruction);
  Launcher bindSelectRows(const Instruction &instruction);
  /// Everything that does not depend on device memory, so that workspaces can be planned before
  /// there is any; of the weight `tensorIndex`.
  cuda::LinearParams linearParams(const Instruction &instruction, int32_t tensorIndex,
                                  DType type) const;
  cuda::AttentionParams attentionParams(const Instruction &instruction) const;
  cuda::KvPool kvPool(const Instruction &instruction) const;

  const Model *model;
  const Program *program;
  CudaDevice *device;
  CudaLimits limits;
  CudaPlan plan;
  CudaWeights::Sizes weightSizes;
  CudaWeights weights;
  int32_t logitsValue = -1;
  std::vector<RopeTable> ropeTables;
  /// Keys and values of each cache in a block, and in a precise one.
  std::vector<std::pair<int64_t, int64_t>> kvOffsets, preciseOffsets;
  int64_t blockBytes = 0, preciseBytes = 0, totalBytes = 0;
  int64_t linearWorkspace = 0, attentionWorkspace = 0, roundedBytes = 0;
  void *kvBase = nullptr, *preciseBase = nullptr;
  char *floats[2] = {}, *halves[2] = {};
  char *converted = nullptr, *rounded = nullptr;
  char *linearScratch = nullptr, *attentionScratch = nullptr;
  std::map<std::vector<float>, const float *> staticScales; ///< of 8-bit activations
  std::vector<CudaDevice::Memory> memory;
  std::vector<Fusion> fusions;
  std::vector<int> fusionOf; ///< per instruction: the number of the fusion that runs here, or -1
  std::vector<bool> fused;   ///< per instruction: another's launch computes it
  std::vector<Rotation> rotations; ///< per instruction
  std::vector<Bound> bodyList, tailList;
};

} // namespace qrt

#endif // QRT_ENGINE_CUDAPROGRAM_H

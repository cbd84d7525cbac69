//===- ElementwiseOpsTest.cpp - Unary, binary, where, clip, cast and dispatch -----------------===//
#include "ModelFixture.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace qrt;
using namespace qrt::tensor;

using Values = std::vector<double>;
static constexpr double inf = std::numeric_limits<double>::infinity();

static Tensor ints(Shape shape, std::vector<int64_t> values, DType dtype = DType::I64) {
  return pack(dtype, std::move(shape), std::move(values)).takeValue();
}
static Tensor cast(const Tensor &x, const char *to) {
  return run("cast", {&x}, {{"to", std::string(to)}});
}

TEST(ElementwiseOps, UnaryFormulas) {
  Tensor x = floats({4}, {-2, -0.5, 0, 1.5});
  struct Case {
    const char *op;
    double (*want)(double);
  };
  const Case cases[] = {{"neg", [](double v) { return -v; }},
                        {"abs", [](double v) { return std::abs(v); }},
                        {"sign", [](double v) { return double(v > 0) - double(v < 0); }},
                        {"relu", [](double v) { return std::max(v, 0.0); }},
                        {"exp", [](double v) { return std::exp(v); }},
                        {"erf", [](double v) { return std::erf(v); }},
                        {"tanh", [](double v) { return std::tanh(v); }},
                        {"sigmoid", [](double v) { return 1 / (1 + std::exp(-v)); }},
                        {"cos", [](double v) { return std::cos(v); }},
                        {"sin", [](double v) { return std::sin(v); }},
                        {"floor", [](double v) { return std::floor(v); }},
                        {"ceil", [](double v) { return std::ceil(v); }},
                        {"softplus", [](double v) { return std::log(1 + std::exp(v)); }},
                        {"silu", [](double v) { return v / (1 + std::exp(-v)); }},
                        {"gelu", [](double v) { return v * 0.5 * std::erfc(-v / std::sqrt(2.0)); }},
                        {"quick_gelu", [](double v) { return v / (1 + std::exp(-1.702 * v)); }},
                        {"identity", [](double v) { return v; }}};
  for (const Case &test : cases) {
    SCOPED_TRACE(test.op);
    for (DType dtype : {DType::F32, DType::F64, DType::F16}) {
      Tensor from = make(dtype, {4}, valuesOf(x));
      Values want;
      for (double v : valuesOf(x))
        want.push_back(test.want(v));
      Tensor y = run(test.op, {&from});
      EXPECT_EQ(y.dtype, dtype);
      expectNear(y, want, dtype == DType::F16 ? 5e-3 : 1e-6);
    }
  }
  Tensor positive = floats({2}, {4, 0.25});
  expectNear(run("sqrt", {&positive}), {2, 0.5}, 0);
  expectNear(run("reciprocal", {&positive}), {0.25, 4}, 0);
  expectNear(run("log", {&positive}), {std::log(4.0), std::log(0.25)}, 1e-6);
  expectNear(run("softcap", {&positive}, {{"cap", 2.0}}),
             {2 * std::tanh(2.0), 2 * std::tanh(0.125)}, 1e-6);
  expectNear(run("gelu", {&positive}, {{"approximate", std::string("tanh")}}), {3.99993, 0.149678},
             1e-5);
}

TEST(ElementwiseOps, RoundsTiesToEvenAndSurvivesLargeNumbers) {
  Tensor x = floats({6}, {0.5, 1.5, -0.5, -2.5, 2.4, 8388609});
  EXPECT_EQ(valuesOf(run("round", {&x})), (Values{0, 2, 0, -2, 2, 8388609}));
  Tensor large = floats({2}, {1000, -1000});
  EXPECT_EQ(valuesOf(run("sigmoid", {&large})), (Values{1, 0}));
  EXPECT_EQ(valuesOf(run("softplus", {&large})), (Values{1000, 0}));
  EXPECT_EQ(valuesOf(run("silu", {&large})), (Values{1000, 0}));
}

TEST(ElementwiseOps, TestsOfFloatsAndLogic) {
  Tensor x = floats({4}, {NAN, inf, -inf, 1});
  EXPECT_EQ(valuesOf(run("is_nan", {&x})), (Values{1, 0, 0, 0}));
  Tensor y = run("is_inf", {&x});
  EXPECT_EQ(y.dtype, DType::Bool);
  EXPECT_EQ(valuesOf(y), (Values{0, 1, 1, 0}));
  Tensor a = make(DType::Bool, {4}, {0, 0, 1, 1}), b = make(DType::Bool, {4}, {0, 1, 0, 1});
  EXPECT_EQ(valuesOf(run("and", {&a, &b})), (Values{0, 0, 0, 1}));
  EXPECT_EQ(valuesOf(run("or", {&a, &b})), (Values{0, 1, 1, 1}));
  EXPECT_EQ(valuesOf(run("xor", {&a, &b})), (Values{0, 1, 1, 0}));
  EXPECT_EQ(valuesOf(run("not", {&a})), (Values{1, 1, 0, 0}));
  EXPECT_NE(messageOf("and", {&x, &x}), "");
}

TEST(ElementwiseOps, Broadcasts) {
  Tensor column = floats({2, 1}, {10, 20}), row = floats({3}, {1, 2, 3}), scalar = floats({}, {5});
  Tensor y = run("add", {&column, &row});
  EXPECT_EQ(y.shape, (Shape{2, 3}));
  EXPECT_EQ(valuesOf(y), (Values{11, 12, 13, 21, 22, 23}));
  EXPECT_EQ(valuesOf(run("sub", {&row, &scalar})), (Values{-4, -3, -2}));
  EXPECT_EQ(valuesOf(run("sub", {&scalar, &row})), (Values{4, 3, 2}));
  Tensor empty = floats({0, 1}, {});
  EXPECT_EQ(run("mul", {&empty, &row}).shape, (Shape{0, 3}));
  Tensor four = floats({4}, {1, 2, 3, 4});
  EXPECT_EQ(messageOf("add", {&row, &four}), "add: shapes [3] and [4] do not broadcast");
  // Axes in the middle repeat.
  Tensor x = floats({2, 1, 2}, {1, 2, 3, 4}), z = floats({2, 1}, {10, 100});
  EXPECT_EQ(valuesOf(run("mul", {&x, &z})), (Values{10, 20, 100, 200, 30, 40, 300, 400}));
}

TEST(ElementwiseOps, IntegersWrapAndDivideTowardsZero) {
  const int64_t most = INT64_MAX, least = INT64_MIN;
  Tensor a = ints({2}, {most, least}), b = ints({2}, {1, -1});
  EXPECT_EQ(*integersOf(run("add", {&a, &b}), ""), (std::vector<int64_t>{least, most}));
  EXPECT_EQ(*integersOf(run("div", {&a, &b}), ""), (std::vector<int64_t>{most, least}));
  Tensor small = ints({2}, {120, -128}, DType::I8), ten = ints({}, {10}, DType::I8);
  EXPECT_EQ(valuesOf(run("add", {&small, &ten})), (Values{-126, -118}));
  EXPECT_EQ(valuesOf(run("neg", {&small})), (Values{-120, -128}));
  Tensor x = ints({4}, {7, -7, 7, -7}), y = ints({4}, {3, 3, -3, -3});
  EXPECT_EQ(valuesOf(run("div", {&x, &y})), (Values{2, -2, -2, 2}));
  EXPECT_EQ(valuesOf(run("mod", {&x, &y})), (Values{1, 2, -2, -1}));
  EXPECT_EQ(valuesOf(run("mod", {&x, &y}, {{"fmod", int64_t(1)}})), (Values{1, -1, 1, -1}));
  Tensor zero = ints({}, {0});
  EXPECT_EQ(messageOf("div", {&x, &zero}), "div: division of an integer by zero");
  EXPECT_EQ(messageOf("mod", {&x, &zero}), "mod: division of an integer by zero");
  Tensor u = pack(DType::U64, {2}, std::vector<uint64_t>{UINT64_MAX, 1}).takeValue();
  Tensor v = pack(DType::U64, {2}, std::vector<uint64_t>{1, UINT64_MAX}).takeValue();
  EXPECT_EQ(valuesOf(run("less", {&u, &v})), (Values{0, 1}));
}

TEST(ElementwiseOps, MinMaxPowAndComparisons) {
  Tensor a = floats({3}, {1, NAN, 3}), b = floats({3}, {2, 1, NAN});
  Values low = valuesOf(run("min", {&a, &b})), high = valuesOf(run("max", {&a, &b}));
  EXPECT_EQ(low[0], 1);
  EXPECT_EQ(high[0], 2);
  for (int i = 1; i < 3; ++i)
    EXPECT_TRUE(std::isnan(low[i]) && std::isnan(high[i]));
  Tensor x = floats({3}, {2, -3, 0.25}), two = floats({}, {2}), itwo = ints({}, {2});
  expectNear(run("pow", {&x, &two}), {4, 9, 0.0625}, 0);
  expectNear(run("pow", {&x, &itwo}), {4, 9, 0.0625}, 0);
  Tensor base = ints({3}, {2, -1, 3}), exponent = ints({3}, {10, -3, -1});
  EXPECT_EQ(valuesOf(run("pow", {&base, &exponent})), (Values{1024, -1, 0}));
  Tensor p = ints({3}, {1, 2, 3}), q = ints({}, {2});
  EXPECT_EQ(valuesOf(run("equal", {&p, &q})), (Values{0, 1, 0}));
  EXPECT_EQ(valuesOf(run("less", {&p, &q})), (Values{1, 0, 0}));
  EXPECT_EQ(valuesOf(run("less_equal", {&p, &q})), (Values{1, 1, 0}));
  EXPECT_EQ(valuesOf(run("greater", {&p, &q})), (Values{0, 0, 1}));
  EXPECT_EQ(valuesOf(run("greater_equal", {&p, &q})), (Values{0, 1, 1}));
  Tensor flag = make(DType::Bool, {2}, {0, 1});
  EXPECT_EQ(valuesOf(run("equal", {&flag, &flag})), (Values{1, 1}));
  EXPECT_EQ(messageOf("less", {&p, &x}),
            "less: operands i64 [3] and f32 [3] differ in element type");
}

TEST(ElementwiseOps, WhereAndClip) {
  Tensor condition = make(DType::Bool, {2, 1}, {1, 0});
  Tensor a = make(DType::F16, {3}, {1, 2, 3}), b = make(DType::F16, {}, {-1});
  Tensor y = run("where", {&condition, &a, &b});
  EXPECT_EQ(y.dtype, DType::F16);
  EXPECT_EQ(valuesOf(y), (Values{1, 2, 3, -1, -1, -1}));
  Tensor x = floats({4}, {-5, 0.5, 5, NAN}), low = floats({}, {0}), high = floats({1}, {1});
  Values both = valuesOf(run("clip", {&x, &low, &high}));
  EXPECT_EQ(Values(both.begin(), both.begin() + 3), (Values{0, 0.5, 1}));
  EXPECT_TRUE(std::isnan(both[3]));
  EXPECT_EQ(valuesOf(run("clip", {&x, nullptr, &high}))[0], -5);
  EXPECT_EQ(valuesOf(run("clip", {&x}))[2], 5);
}

TEST(ElementwiseOps, CastTruncatesSaturatesWrapsAndRoundsOnce) {
  Tensor x = floats({6}, {1.9, -1.9, 300, -300, NAN, inf});
  EXPECT_EQ(valuesOf(cast(x, "i8")), (Values{1, -1, 127, -128, 0, 127}));
  EXPECT_EQ(valuesOf(cast(x, "u8")), (Values{1, 0, 255, 0, 0, 255}));
  EXPECT_EQ(valuesOf(cast(x, "bool")), (Values{1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(valuesOf(cast(x, "u4")), (Values{1, 0, 15, 0, 0, 15}));
  Tensor huge = floats({2}, {1e30, -1e30});
  EXPECT_EQ(*integersOf(cast(huge, "i64"), ""), (std::vector<int64_t>{INT64_MAX, INT64_MIN}));
  Tensor wide = ints({3}, {257, -1, 128});
  EXPECT_EQ(valuesOf(cast(wide, "u8")), (Values{1, 255, 128}));
  EXPECT_EQ(valuesOf(cast(wide, "i8")), (Values{1, -1, -128}));
  EXPECT_EQ(valuesOf(cast(wide, "i4")), (Values{1, -1, 0}));
  // Halfway in f16 only after the detour over f32: 1 + 2^-11 + 2^-40.
  Tensor fine = make(DType::F64, {2}, {1 + std::ldexp(1, -11) + std::ldexp(1, -40), 70000});
  EXPECT_EQ(valuesOf(cast(fine, "f16")), (Values{1 + std::ldexp(1, -10), inf}));
  EXPECT_EQ(valuesOf(cast(fine, "bf16")), (Values{1, 70144}));
  EXPECT_EQ(messageOf("cast", {&x}, {{"to", std::string("f31")}}),
            "cast: attribute 'to' is 'f31', not the name of an element type");
}

TEST(ElementwiseOps, AbstractOperandsGiveAbstractResults) {
  Tensor a = abstractOf(DType::F32, {2, 1}), b = floats({3}, {1, 2, 3});
  auto sum = tryRun("add", {&a, &b});
  ASSERT_TRUE(sum.isOk());
  EXPECT_EQ(sum->front().shape, (Shape{2, 3}));
  EXPECT_EQ(sum->front().data, nullptr);
  auto half = tryRun("cast", {&a}, {{"to", std::string("f16")}});
  ASSERT_TRUE(half.isOk());
  EXPECT_EQ(half->front().dtype, DType::F16);
  EXPECT_EQ(half->front().data, nullptr);
  EXPECT_EQ(tryRun("less", {&a, &b})->front().dtype, DType::Bool);
}

TEST(ElementwiseOps, EmptyTensorsAreKnownWithoutAnAddress) {
  Tensor none = abstractOf(DType::I64, {0}), five = make(DType::I64, {1}, {5});
  Tensor y = run("full", {&none, &five});
  EXPECT_EQ(y.shape, Shape{});
  EXPECT_EQ(valuesOf(y), Values{5});
  EXPECT_NE(run("neg", {&none}).data, nullptr);
}

TEST(ElementwiseOps, DispatchNamesWhatIsWrong) {
  Tensor x = floats({1}, {1});
  EXPECT_EQ(messageOf("frobnicate", {&x}), "'frobnicate' is not an op of this library");
  EXPECT_EQ(messageOf("add", {&x}), "add: has 1 operands, expects 2");
  EXPECT_EQ(messageOf("add", {&x, nullptr}), "add: operand 1 is missing");
  EXPECT_EQ(messageOf("softcap", {&x}, {{"cap", std::string("high")}}),
            "softcap: attribute 'cap' is not a number");
  Tensor bad = abstractOf(DType::F32, {-1}), vast = abstractOf(DType::F32, {INT64_MAX, 2});
  EXPECT_EQ(tryRun("neg", {&bad}).status().code(), StatusCode::InvalidArgument);
  EXPECT_EQ(tryRun("neg", {&vast}).status().code(), StatusCode::ResourceExhausted);
  Tensor many = abstractOf(DType::F32, {1 << 30, 1}), more = abstractOf(DType::F32, {1, 1 << 30});
  EXPECT_EQ(tryRun("add", {&many, &more}).status().code(), StatusCode::ResourceExhausted);
  EXPECT_TRUE(isKnownOp("where"));
  EXPECT_FALSE(isKnownOp("where "));
}

TEST(ElementwiseOps, ReadsDataAtAnyAddress) {
  std::vector<char> bytes(9);
  const float values[] = {1.5f, -2.5f};
  std::memcpy(bytes.data() + 1, values, 8);
  Tensor x{DType::F32, {2}, std::shared_ptr<const void>(bytes.data() + 1, [](const void *) {})};
  EXPECT_EQ(valuesOf(run("neg", {&x})), (Values{-1.5, 2.5}));
}

//===- Options.cpp - The command line of qopt ------------------------------------------------===//
// A flag that would have no effect is an error: silence about an ignored option costs its user
// days.
#include "Options.h"

#include "CalibrationFlags.h"
#include "KvFlags.h"
#include "PluginFlags.h"
#include "SchemeFlags.h"

#include "qopt/Pipelines/Recipe.h"
#include "qopt/Pipelines/Synthetic.h"

#include "mlir/IR/AsmState.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace qopt {

/// Of all files of flags.
cl::OptionCategory &optionCategory() {
  static cl::OptionCategory category("qopt options");
  return category;
}

namespace {

cl::OptionCategory &category = optionCategory();

/// All flags; an object, so that nothing is registered before main() asks for it. Descriptions are
/// kept here because cl::desc does not own its text.
struct Flags {
  std::string syntheticDescription = "Random weights in the shape of " + syntheticNames();
  cl::opt<std::string> input{cl::Positional, cl::desc("MODEL.onnx|FOLDER|X.mlir"),
                             cl::cat(category)};
  cl::opt<std::string> output{"o", cl::desc("File to write"), cl::value_desc("M.qmod"),
                              cl::cat(category)};
  cl::opt<std::string> emit{"emit",
                            cl::value_desc("import|raised|transformed|assigned|quantized|lowered"),
                            cl::desc("Stop after a stage and print the IR"), cl::cat(category)};
  cl::opt<bool> noVerify{"no-verify",
                         cl::desc("Do not run the raised graph against the imported one"),
                         cl::cat(category)};
  cl::opt<std::string> recipe{"recipe", cl::value_desc("R.yaml"),
                              cl::desc("Flags from a file; those of the command line win"),
                              cl::cat(category)};
  cl::opt<std::string> saveRecipe{"save-recipe", cl::value_desc("R.yaml"),
                                  cl::desc("Write a recipe that makes the same file"),
                                  cl::cat(category)};
  cl::opt<bool> dryRun{"dry-run",
                       cl::desc("Say what would be made and what it would take; write nothing"),
                       cl::cat(category)};
  cl::opt<bool> json{"json", cl::desc("Print the report as JSON to stdout"), cl::cat(category)};
  cl::opt<std::string> report{"report", cl::value_desc("FILE"),
                              cl::desc("Write the report as JSON to a file"), cl::cat(category)};
  cl::opt<bool> quiet{"quiet", cl::desc("No progress lines"), cl::cat(category)};
  cl::opt<int> threads{"t", cl::desc("Threads, also --threads (0: all)"), cl::init(0),
                       cl::cat(category)};
  cl::opt<std::string> target{
      "target", cl::value_desc("cpu|cuda"), cl::init("cpu"),
      cl::desc("Layout of the stored weights; cuda's can be run on a device only"),
      cl::cat(category)};
  cl::opt<std::string> device{"device", cl::value_desc("cpu|cuda[:N]|auto"), cl::init("cpu"),
                              cl::desc("Where products of the calibration run"), cl::cat(category)};
  cl::opt<std::string> synthetic{"synthetic", cl::value_desc("SHAPE"),
                                 cl::desc(syntheticDescription), cl::cat(category)};
  cl::opt<std::string> remarksFilter{
      "remarks-filter", cl::value_desc("REGEX"),
      cl::desc("Show remarks of these categories: quantize, raise, plan-memory ..."),
      cl::cat(category)};
  cl::opt<std::string> remarksFile{"remarks-output-file", cl::value_desc("FILE"),
                                   cl::desc("Write remarks as YAML to a file, not to stderr"),
                                   cl::cat(category)};
  SchemeFlags scheme;
  KvFlags kv;
  CalibrationFlags calibration;
  PluginFlags plugins;

  void addTo(RecipeFlags &keys);
  /// Flags that say how a run is done, not what it makes.
  std::vector<const cl::Option *> runFlags() const;
};

/// --target: true for cuda.
static qrt::Result<bool> readTarget(const Flags &flags, const CompileOptions &compile) {
  if (flags.target == "cpu")
    return false;
  if (flags.target != "cuda")
    return qrt::invalidArgument("--target: expects cpu or cuda, got '" + flags.target + "'");
  if (compile.emit)
    return qrt::invalidArgument("--target has no effect with --emit");
  if (compile.calibration && compile.calibration->mixed.fit.bytes)
    return qrt::invalidArgument("--fit counts the memory of a CPU; it has no effect with "
                                "--target cuda");
  return true;
}

/// --device; who opens it is qopt.cpp, when all flags are known to be good.
static qrt::Status readDevice(const std::string &text, bool dryRun, CommandLine &line) {
  auto request = qrt::parseDevice(text);
  if (!request)
    return qrt::invalidArgument("--device: " + request.status().message());
  line.device = *request;
  if (request->kind == qrt::DeviceKind::Cpu)
    return qrt::Status::ok();
  if (!line.compile.calibration)
    return qrt::invalidArgument("--device " + text +
                                " has no effect: nothing is calibrated (--algo, --calib)");
  if (dryRun)
    return qrt::invalidArgument("--device has no effect with --dry-run, which runs no tokens");
  const cl::Option *arithmetic = cl::getRegisteredOptions().lookup("calib-arithmetic");
  if (request->kind == qrt::DeviceKind::Cuda && arithmetic && arithmetic->getNumOccurrences() &&
      line.compile.calibration->quantizer.arithmetic != calibration::SweepArithmetic::F32)
    return qrt::invalidArgument("--calib-arithmetic has no effect with --device " + text +
                                ", which calibrates in f32");
  return qrt::Status::ok();
}

void Flags::addTo(RecipeFlags &keys) {
  scheme.addTo(keys);
  plugins.addTo(keys);
  kv.addTo(keys);
  calibration.addTo(keys);
}

std::vector<const cl::Option *> Flags::runFlags() const {
  std::vector<const cl::Option *> flags = calibration.runFlags();
  for (const auto &preset : scheme.presets)
    flags.push_back(preset.get()); // recipes say "scheme"
  flags.insert(flags.end(), {&input, &output, &emit, &noVerify, &recipe, &saveRecipe, &dryRun,
                             &json, &report, &quiet, &threads, &synthetic, &target, &device,
                             &kv.kv8, &kv.kv4, &remarksFilter, &remarksFile});
  flags.push_back(&plugins.runFlag());
  return flags;
}

/// Every flag of qopt is a recipe's or a run's: a new one that is neither fails every command.
qrt::Status checkComplete(const Flags &flags, const RecipeFlags &keys) {
  const std::vector<const cl::Option *> run = flags.runFlags();
  for (const auto &[name, option] : cl::getRegisteredOptions())
    if (is_contained(option->Categories, &category) && !keys.has(*option) &&
        !is_contained(run, option))
      return qrt::internalError("flag --" + name.str() + " must be added to addTo() or runFlags()");
  return qrt::Status::ok();
}

/// Reads --foo_bar as --foo-bar; the value after '=' is left alone. --threads is -t and --stats is
/// --statistics: LLVM's own libraries have taken these names.
std::vector<std::string> normaliseFlags(int argc, char **argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  for (std::string &argument : arguments)
    if (StringRef(argument).starts_with("--"))
      std::replace(argument.begin(),
                   argument.begin() + std::min(argument.find('='), argument.size()), '_', '-');
  for (auto [name, own] : {std::pair("--threads", "-t"), std::pair("--stats", "--statistics")})
    for (std::string &argument : arguments)
      if (argument == name || StringRef(argument).starts_with(std::string(name) + "="))
        argument.replace(0, StringRef(name).size(), own);
  return arguments;
}

qrt::Status readFiles(Flags &flags, CompileOptions &compile) {
  compile.input = flags.input;
  compile.synthetic = flags.synthetic;
  compile.output = flags.output;
  if (compile.input.empty() == compile.synthetic.empty())
    return qrt::invalidArgument("expects one model (MODEL.onnx or a folder) or --synthetic; see "
                                "qopt --help");
  if (!compile.synthetic.empty() && !isSyntheticName(compile.synthetic))
    return qrt::invalidArgument("--synthetic: expects " + syntheticNames() + ", got '" +
                                compile.synthetic + "'");
  if (flags.emit.getNumOccurrences()) {
    compile.emit = stageFromName(flags.emit);
    if (!compile.emit)
      return qrt::invalidArgument(
          "--emit: expects import, raised, transformed, assigned, quantized "
          "or lowered, got '" +
          flags.emit + "'");
    if (flags.json || flags.report.getNumOccurrences())
      return qrt::invalidArgument("--json and --report have no effect with --emit");
    if (flags.dryRun)
      return qrt::invalidArgument("--emit has no effect with --dry-run");
  } else if (flags.dryRun) {
    if (flags.report.getNumOccurrences())
      return qrt::invalidArgument("--report has no effect with --dry-run, which writes nothing; "
                                  "--json prints the plan");
  } else if (compile.output.empty() || compile.output == "-") {
    return qrt::invalidArgument("expects -o FILE.qmod");
  }
  return qrt::Status::ok();
}

} // namespace

static qrt::Status readAll(Flags &flags, const RecipeFlags &keys, CommandLine &line) {
  QRT_RETURN_IF_ERROR(readFiles(flags, line.compile));
  QRT_RETURN_IF_ERROR(flags.scheme.read(line.compile.scheme));
  QRT_RETURN_IF_ERROR(flags.kv.read(line.compile.scheme.kv, flags.emit.getNumOccurrences() > 0));
  line.compile.fragments = flags.target == "cuda"; // checked below
  QRT_RETURN_IF_ERROR(flags.calibration.read(line.compile, flags.threads, keys));
  QRT_RETURN_IF_ERROR(flags.plugins.read(line.compile.scheme));
  QRT_ASSIGN_OR_RETURN(line.compile.fragments, readTarget(flags, line.compile));
  QRT_RETURN_IF_ERROR(readDevice(flags.device, flags.dryRun, line));
  line.saveRecipe = flags.saveRecipe;
  if (!line.saveRecipe.empty() && flags.dryRun)
    return qrt::invalidArgument("--save-recipe has no effect with --dry-run");
  return qrt::Status::ok();
}

qrt::Result<CommandLine> parseCommandLine(int argc, char **argv) {
  static Flags flags;
  mlir::registerPassManagerCLOptions();
  mlir::registerAsmPrinterCLOptions();
  mlir::registerDefaultTimingManagerCLOptions();
  cl::SetVersionPrinter([](raw_ostream &os) { os << toolVersion() << "\n"; });
  cl::HideUnrelatedOptions(category);

  std::vector<std::string> arguments = normaliseFlags(argc, argv);
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string errors;
  raw_string_ostream stream(errors);
  if (!cl::ParseCommandLineOptions(static_cast<int>(pointers.size()), pointers.data(),
                                   "Compiles an ONNX language model to a .qmod file\n", &stream))
    return qrt::invalidArgument(StringRef(errors).trim().str());

  RecipeFlags keys;
  flags.addTo(keys);
  QRT_RETURN_IF_ERROR(checkComplete(flags, keys));
  if (flags.recipe.getNumOccurrences())
    QRT_RETURN_IF_ERROR(keys.apply(flags.recipe));
  CommandLine line;
  if (qrt::Status read = readAll(flags, keys, line); !read)
    return keys.locate(read);
  if (flags.threads < 0)
    return qrt::invalidArgument("-t: expects 0 or a number of threads, got " +
                                std::to_string(flags.threads));
  line.compile.verify = !flags.noVerify;
  line.compile.threads = flags.threads;
  line.dryRun = flags.dryRun;
  line.json = flags.json;
  line.quiet = flags.quiet;
  line.reportFile = flags.report;
  line.threads = flags.threads;
  line.remarksFilter = flags.remarksFilter;
  line.remarksFile = flags.remarksFile;
  if (!line.remarksFile.empty() && line.remarksFilter.empty())
    line.remarksFilter = ".*";
  return line;
}

} // namespace qopt

//===- RecipeFlags.h - Flags that a recipe can give ------------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_RECIPEFLAGS_H
#define QOPT_TOOLS_QOPT_RECIPEFLAGS_H

#include "qopt/Pipelines/Recipe.h"

#include "llvm/Support/CommandLine.h"

#include <memory>
#include <set>

namespace qopt {

/// The keys of recipes: long flags of qopt. What the command line has given is not changed, and
/// hides what it contradicts.
class RecipeFlags {
public:
  void add(llvm::cl::opt<std::string> &flag) { keys.push_back({&flag, Kind::Text}); }
  void add(llvm::cl::opt<bool> &flag) { keys.push_back({&flag, Kind::Switch}); }
  void add(llvm::cl::opt<int> &flag) { keys.push_back({&flag, Kind::Integer}); }
  void add(llvm::cl::opt<int64_t> &flag) { keys.push_back({&flag, Kind::Integer}); }
  void add(llvm::cl::opt<uint64_t> &flag) { keys.push_back({&flag, Kind::Natural}); }
  void add(llvm::cl::opt<double> &flag) { keys.push_back({&flag, Kind::Number}); }
  void add(llvm::cl::list<std::string> &flag) { // whose & is that of its vector
    keys.push_back({std::addressof(flag), Kind::List});
  }
  /// `key` of a recipe has no effect where `flag` is on the command line.
  void hide(const llvm::cl::Option &key, const llvm::cl::Option &flag) {
    hidden.push_back({&key, &flag});
  }

  /// Sets flags from the file. InvalidArgument names file, line and key: unknown keys, values of
  /// another kind.
  qrt::Status apply(const std::string &file);
  /// Names the line of the recipe that a complaint about one of its flags is about.
  qrt::Status locate(const qrt::Status &status) const;
  bool has(const llvm::cl::Option &flag) const;
  /// Does its value come from the recipe?
  bool gave(const llvm::cl::Option &flag) const { return given.count(&flag) > 0; }

private:
  enum class Kind { Text, Switch, Integer, Natural, Number, List };
  struct Key {
    llvm::cl::Option *flag;
    Kind kind;
  };
  qrt::Status set(const Key &key, const RecipeEntry &entry);
  qrt::Status problem(const RecipeEntry &entry, const std::string &what) const;

  std::vector<Key> keys;
  std::vector<std::pair<const llvm::cl::Option *, const llvm::cl::Option *>> hidden;
  std::string path;
  std::vector<RecipeEntry> entries; ///< those that were set
  std::set<const llvm::cl::Option *> given;
};

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_RECIPEFLAGS_H

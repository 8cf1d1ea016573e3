// The rule by which LibTorch is found, on folders that only look like one.
#include "imgmill/infer/libtorch_location.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

using namespace imgmill;
namespace fs = std::filesystem;

namespace {

/// A folder of its own, and an environment in which nothing but what the test puts there is found.
class EmptyMachine {
 public:
  EmptyMachine() {
    char name[] = "/tmp/imgmill-libtorch-XXXXXX";
    root_ = mkdtemp(name);
    for (const char* variable : {"LIBTORCH", "PATH", "HOME"}) {
      const char* before = std::getenv(variable);
      before_.emplace_back(variable, before != nullptr ? before : "");
    }
    unsetenv("LIBTORCH");
    setenv("PATH", "/nonexistent", 1);
    setenv("HOME", (root_ / "home").c_str(), 1);
  }
  ~EmptyMachine() {
    for (const auto& [variable, before] : before_)
      before.empty() ? unsetenv(variable) : setenv(variable, before.c_str(), 1);
    fs::remove_all(root_);
  }

  std::string Path(const std::string& below) const { return (root_ / below).string(); }

  void Put(const std::string& folder, const std::string& version) const {
    fs::create_directories(root_ / folder / "lib");
    std::ofstream(root_ / folder / "lib/libtorch_cpu.so") << "no library";
    // As wheels write it.
    std::ofstream(root_ / folder / "version.py")
        << "from typing import Optional\n\n__all__ = ['__version__']\n"
        << "__version__ = '" << version << "'\ndebug = False\n";
  }

  /// A python3 on the PATH, with a torch in its packages.
  void PutPython(const std::string& prefix, const std::string& version) const {
    fs::create_directories(root_ / prefix / "bin");
    std::ofstream(root_ / prefix / "bin/python3") << "#!/bin/sh\n";
    fs::permissions(root_ / prefix / "bin/python3", fs::perms::owner_all);
    Put(prefix + "/lib/python3.11/site-packages/torch", version);
    setenv("PATH", ("/nonexistent:" + Path(prefix + "/bin")).c_str(), 1);
  }

 private:
  fs::path root_;
  std::vector<std::pair<const char*, std::string>> before_;
};

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("LibTorch: $LIBTORCH, else beside the module, else the active python3's") {
  if (LibTorchWanted().empty() || LibTorchWanted() == "unknown") {
    MESSAGE("built without LibTorch, or with one that has no version");
    return;
  }
  const EmptyMachine machine;
  const std::string module = machine.Path("imgmill/");
  const Result<LibTorchLocation> none = FindLibTorch(module);
  REQUIRE(!none.ok());
  CHECK(none.error().code == Code::kNotFound);
  CHECK(Has(none.error().message, "$LIBTORCH: not set"));
  CHECK(Has(none.error().message, module + "libtorch has no lib/libtorch_cpu.so"));
  CHECK(Has(none.error().message, "the active python3: has no torch"));
  CHECK(Has(none.error().message, "pip install torch=="));

  machine.PutPython("venv", LibTorchWanted());
  Result<LibTorchLocation> found = FindLibTorch(module);
  REQUIRE(found.ok());
  CHECK(found->found_by == "the active python3");
  CHECK(fs::weakly_canonical(found->root) == machine.Path("venv/lib/python3.11/site-packages/torch"));
  CHECK(found->version == LibTorchWanted());

  machine.Put("imgmill/libtorch", LibTorchWanted());
  found = FindLibTorch(module);
  REQUIRE(found.ok());
  CHECK(found->found_by == "beside the module");

  machine.Put("named", LibTorchWanted());
  setenv("LIBTORCH", machine.Path("named").c_str(), 1);
  found = FindLibTorch(module);
  REQUIRE(found.ok());
  CHECK(found->root == machine.Path("named"));

  // Whoever names one wants that one.
  setenv("LIBTORCH", machine.Path("nowhere").c_str(), 1);
  found = FindLibTorch(module);
  REQUIRE(!found.ok());
  CHECK(Has(found.error().message, machine.Path("nowhere") + " has no lib/libtorch_cpu.so"));
}

TEST_CASE("LibTorch of another version is passed over, and one that cannot be mapped is an error") {
  if (LibTorchWanted().empty() || LibTorchWanted() == "unknown") return;
  const EmptyMachine machine;
  const std::string module = machine.Path("imgmill/");
  machine.Put("imgmill/libtorch", "1.13.1");
  Result<LibTorchLocation> found = FindLibTorch(module);
  REQUIRE(!found.ok());
  CHECK(Has(found.error().message, "libtorch is version 1.13.1"));

  // The build for another device, or a later patch, has the same interface.
  const std::string series = LibTorchWanted().substr(0, LibTorchWanted().rfind('.'));
  machine.PutPython("venv", series + ".99+cu999");
  found = FindLibTorch(module);
  REQUIRE(found.ok());
  CHECK(found->found_by == "the active python3");

  const Status mapped = MapLibTorch(*found);
  REQUIRE(!mapped.ok());
  CHECK(mapped.error().code == Code::kModelError);
  CHECK(Has(mapped.error().message, "libtorch_cpu.so"));
  CHECK(Has(mapped.error().message, "LIBTORCH"));
}

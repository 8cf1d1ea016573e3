// Finds installed models relative to the running code, as the LibTorch module is found.
#include "imgmill/infer/own_models.h"

#include <algorithm>
#include <filesystem>

#include "base/code_folders.h"
#include "base/usage_error.h"

namespace imgmill {
namespace {

constexpr std::string_view kPrefix = "own:";
constexpr std::string_view kEnding = ".safetensors";

std::vector<std::filesystem::path> Folders() {
  std::vector<std::filesystem::path> folders;
  for (const std::string& code : {ProgramFolder(), LibraryFolder(reinterpret_cast<const void*>(&OwnModels))})
    if (!code.empty()) folders.push_back(code + "../share/imgmill/models");
  return folders;
}

}  // namespace

std::vector<std::string> OwnModels() {
  std::vector<std::string> names;
  for (const std::filesystem::path& folder : Folders()) {
    std::error_code none;  // a folder that is not there holds no models
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
      if (entry.path().extension() == kEnding)
        names.push_back(std::string(kPrefix) + entry.path().stem().string());
    }
    if (!names.empty()) break;
  }
  std::sort(names.begin(), names.end());
  return names;
}

bool NamesOwnModel(std::string_view text) {
  return text.starts_with(kPrefix);
}

Result<std::string> ModelPath(const std::string& given) {
  if (!NamesOwnModel(given)) return given;
  const std::string name = given.substr(kPrefix.size());
  for (const std::filesystem::path& folder : Folders()) {
    const std::filesystem::path file = folder / (name + std::string(kEnding));
    std::error_code none;
    if (!name.empty() && name.find('/') == std::string::npos && std::filesystem::is_regular_file(file, none))
      return std::filesystem::weakly_canonical(file, none).string();
  }
  std::string message = "there is no model " + given + " here";
  const std::vector<std::string> known = OwnModels();
  for (const std::string& each : known) message += (&each == known.data() ? "; there is " : ", ") + each;
  if (known.empty()) message += ": share/imgmill/models, beside the program's folder, is missing or empty";
  return UsageError(message);
}

}  // namespace imgmill

// The built imgmill run on folders of a test's own, and what such a run leaves behind.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dataset/test_folder.h"
#include "imgmill/image/reader.h"
#include "process.h"

namespace imgmill::process_test {

/// MiB by which what the process holds may differ from start to start: more on some machines than an advised
/// budget has in it.
inline constexpr size_t kStartsApart = 8;

std::string SampleData();
/// Copies that file of sample_data to `where`/`as`, in folders that are made. @return the copy's path
std::string PutSample(const TestFolder& where, const std::string& sample, const std::string& as);

/// Both, behind one another.
std::vector<std::string> With(std::vector<std::string> words, const std::vector<std::string>& more);
/// Whether the text has that part. @param text  what a run has printed
bool Has(const std::string& text, const std::string& part);

/// bin/imgmill and its arguments, as Process takes them.
std::vector<std::string> Imgmill(const std::vector<std::string>& arguments);
/// Runs it to its end. Its state folder is a fixed one of the test, never the user's.
ProcessResult Run(const std::vector<std::string>& arguments, const ProcessOptions& options = {});
/// With the state folder that Run uses.
ProcessOptions WithState(ProcessOptions options);

nlohmann::json Json(const ProcessResult& result);  ///< stdout; the test ends if it is no JSON
nlohmann::json JsonFile(const std::string& path);

/// Relative path to bytes, of every file below `folder`; the catalog's folder .imgmill is left out.
using FolderBytes = std::map<std::string, std::string>;
FolderBytes ReadFolder(const std::string& folder);
/// What differs, in a line each; empty if nothing does. Bytes are not printed.
std::string Difference(const FolderBytes& expected, const FolderBytes& found);
/// Number of files in `folder` and below without the catalog and without temporaries (names with a dot
/// first).
size_t CountFiles(const std::string& folder);
/// sample_data's pictures without the two broken ones, into a new folder, with their times.
void CopySamples(const std::string& to);

/// A whole image; the test ends if it cannot be read.
Image LoadImage(const std::string& path, const ReadOptions& options);

/// A JPEG of colour waves and noise.
void WriteLargeJpeg(const std::string& path, int width, int height);

/// What a run with a model needs: weight file, and the environment that names the LibTorch module. `missing`
/// says why there is none.
struct ModelParts {
  std::string weights;
  ProcessOptions options;
  std::string missing;
};
ModelParts FindModel();

}  // namespace imgmill::process_test

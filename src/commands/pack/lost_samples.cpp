// An image may be lost for a file beside it, which the reason then names.
#include "lost_samples.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/try.h"
#include "imgmill/base/path_text.h"

namespace imgmill {

void LostSamples::Add(const ShardSample& sample, const std::string& path, const Error& error) {
  if (!path.empty()) reasons_.Add({path, error});
  for (const PackedFile& file : sample.files) {
    if (file.index < 0 || !indexes_.insert(file.index).second) continue;
    LostImage image{file.index, {file.path, error}};
    if (!path.empty() && path != file.path)
      image.failure.error.message =
          "its sample is left out for " + PrintablePath(path) + ": " + error.message;
    images_.Add(image);
  }
}

Status LostSamples::CountAsFailed(const CommandServices& services, CommandResult& result) const {
  TRY(reasons_.ForEach([&](const FailedItem& reason) {
    services.log(LogLevel::kError, Describe(reason.path, reason.error) + "; its sample is left out");
    return Status();
  }));
  result.counts.done -= images_.size();
  result.counts.failed += images_.size();
  result.counts.recalled = std::min(result.counts.recalled, result.counts.done);
  return images_.ForEach([&](const LostImage& image) {
    const FailedItem& failure = image.failure;
    result.failed.Add(failure);
    const auto index = static_cast<size_t>(image.index);
    if (index < result.verdicts.size()) {
      result.verdicts[index].end = ItemVerdict::End::kFailed;
      result.verdicts[index].why = failure.error.message;
    }
    if (!services.put_line) return Status();
    JsonObject line;
    line["event"] = "verdict";
    line["path"] = PrintablePath(failure.path);
    line["verdict"] = "failed";
    line["reason"] = failure.error.message;
    services.put_line(std::move(line));
    return Status();
  });
}

}  // namespace imgmill

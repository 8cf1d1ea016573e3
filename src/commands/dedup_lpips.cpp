// Vectors of the candidates by an engine run of their own, and squared distances of them.
#include "dedup_lpips.h"

#include <algorithm>

#include "base/try.h"

namespace imgmill {
namespace {

/// The images were told of by the run over all of them.
CommandServices Quietly(CommandServices services) {
  services.put_line = nullptr;
  services.observer = nullptr;
  return services;
}

}  // namespace

class LpipsLook::Looking final : public CommandRun {
 public:
  Looking(LpipsLook& look, const CommandServices& services, const std::function<void(EmbeddedImage&)>& see)
      : CommandRun(services),
        operation_(*look.opened_.embedder, look.opened_.store, nullptr, services, /*needs_notes=*/false,
                   see) {
    options.workers = ModelWorkers(services);
  }
  Operation& operation() override { return operation_; }
  Result<CommandResult> Reduce(CommandResult result) override { return result; }

 private:
  EmbedOperation operation_;
};

LpipsLook::LpipsLook(OpenedEmbedding opened, const CommandServices& services)
    : opened_(std::move(opened)), services_(services) {}

Status LpipsLook::LookAt(const DedupTable& entries, const std::vector<uint32_t>& rows,
                         CommandResult& result) {
  FileTable files;
  std::vector<ContentDigest> contents;
  for (const uint32_t row : rows) {
    DedupEntry entry = TRY(entries.At(row));
    files.Add(entry.file);
    contents.push_back(entry.content);
  }
  const CommandServices services = Quietly(services_);
  Looking looking(*this, services, [&](EmbeddedImage& image) {
    const auto index = static_cast<size_t>(image.file.index);
    if (image.content == contents[index]) places_.push_back({rows[index], image.place});
  });
  const std::unique_ptr<ItemSource> source = SourceFromFiles(files);
  CommandRun* const one[] = {&looking};
  const std::vector<CommandResult> looked = TRY(RunEngine(*source, one));
  result.counts.interrupted = looked[0].counts.interrupted;
  result.counts.interruption = looked[0].counts.interruption;
  return looked[0].failed.ForEach([&](const FailedItem& item) {
    result.action_failures.Add(item);
    return Status();
  });
}

const LpipsLook::Place* LpipsLook::Find(uint32_t row) const {
  const auto found = std::lower_bound(places_.begin(), places_.end(), row,
                                      [](const Place& place, uint32_t wanted) { return place.row < wanted; });
  return found != places_.end() && found->row == row ? &*found : nullptr;
}

Result<std::optional<double>> LpipsLook::Distance(uint32_t a, uint32_t b) {
  const Place* const one = Find(a);
  const Place* const other = Find(b);
  if (one == nullptr || other == nullptr) return std::optional<double>();
  if (first_.size() == 0) {
    first_ = PoolArray<float>(vector_floats());
    second_ = PoolArray<float>(vector_floats());
  }
  if (in_first_ != a) {
    in_first_.reset();
    TRY(opened_.store.file->Read(one->place, first_.span()));
    in_first_ = a;
  }
  TRY(opened_.store.file->Read(other->place, second_.span()));
  double sum = 0;
  for (size_t i = 0; i < first_.size(); ++i) {
    const double step = static_cast<double>(first_[i]) - static_cast<double>(second_[i]);
    sum += step * step;
  }
  return std::optional<double>(sum);
}

}  // namespace imgmill

// Vectors of the candidates by an engine run of their own, and squared distances of them.
#include "dedup_lpips.h"

#include "base/try.h"

namespace imgmill {

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

LpipsLook::LpipsLook(OpenedEmbedding opened, double most, const CommandServices& services)
    : opened_(std::move(opened)), most_(most), services_(services) {}

Status LpipsLook::LookAt(Candidates candidates, CommandResult& result) {
  candidates_ = std::move(candidates);
  places_.assign(candidates_.size(), std::nullopt);
  const CommandServices services = Quietly(services_);
  Looking looking(*this, services, [&](EmbeddedImage& image) {
    const auto place = static_cast<size_t>(image.file.index);
    if (image.content == candidates_.content(place)) places_[place] = image.place;
  });
  return Run(candidates_, looking, result);
}

const VectorFile::Place* LpipsLook::Find(uint32_t row) const {
  const std::optional<size_t> place = candidates_.Find(row);
  return place && places_[*place] ? &*places_[*place] : nullptr;
}

void LpipsLook::Prepare(int) {
  first_ = PoolArray<float>(vector_floats());
  second_ = PoolArray<float>(vector_floats());
  in_first_.reset();
}

Result<LookVerdict> LpipsLook::Look(int, uint32_t keeper, uint32_t other, int) {
  const VectorFile::Place* const kept = Find(keeper);
  const VectorFile::Place* const compared = Find(other);
  if (kept == nullptr || compared == nullptr) return LookVerdict();
  if (in_first_ != keeper) {
    in_first_.reset();
    TRY(opened_.store.file->Read(*kept, first_.span()));
    in_first_ = keeper;
  }
  TRY(opened_.store.file->Read(*compared, second_.span()));
  double sum = 0;
  for (size_t i = 0; i < first_.size(); ++i) {
    const double step = static_cast<double>(first_[i]) - static_cast<double>(second_[i]);
    sum += step * step;
  }
  LookVerdict verdict;
  verdict.kind = sum > most_ ? LookVerdict::Kind::kDiffers : LookVerdict::Kind::kAlike;
  verdict.look.difference = sum;
  return verdict;
}

}  // namespace imgmill

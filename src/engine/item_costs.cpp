// Names kinds of images, and looks their models up.
#include "item_costs.h"

#include <algorithm>

#include "imgmill/base/byte_size.h"

namespace imgmill {
namespace {

/// Observed beside the two that a model needs before it predicts, since the first ones of all pay for more.
constexpr int kUnwatched = 1;
/// Not all of those that are watched teach: some are recalled after all, or dropped halfway. Where so many
/// did not, the formulas have to do, so that the rest is worked on at once.
constexpr int kMostWatched = 8;

/// Of the pool, beside what an image's blocks hold, and for the smallest image: blocks are of whole pages, or
/// have headers as large as their pixels, and when libraries have filled a budget, what was leased is all
/// that the pool still grants.
constexpr size_t kRounding = 32 * kKiB, kLeastPooled = 64 * kKiB;

std::string DigestOfText(const std::string& text) {
  return DigestOfBytes(text.data(), text.size()).Hex();
}

/// What makes one image cost otherwise than another of the same size.
std::string KindOf(const ImageHeader& header) {
  std::string kind = std::string(FormatName(header.format)) + " " + std::to_string(header.bands) + "x" +
                     std::to_string(8 * BytesPerSample(header.sample));
  if (!header.codec.empty()) kind += " " + header.codec;
  if (header.has_alpha) kind += " alpha";
  if (header.cmyk) kind += " cmyk";
  if (header.has_icc) kind += " icc";
  if (header.several_scans) kind += " progressive";
  if (header.interlaced) kind += " interlaced";
  if (!header.sequential) kind += " whole";
  if (header.orientation >= 3) kind += " turned";
  if (header.format == ImageFormat::kTiff && header.block_rows >= header.height)
    kind += header.block_by_rows ? " one-strip" : " one-block";
  return kind;
}

}  // namespace

const std::string& ItemCosts::NameOf(const Operation& operation) {
  std::string& name = names_[&operation];
  const OperationTraits& traits = operation.traits();
  if (name.empty()) name = traits.name + " " + DigestOfText(traits.fingerprint);
  return name;
}

ItemCosts::Estimate ItemCosts::For(const Item& item, const Footprint& formula,
                                   const std::vector<Operation*>& operations) {
  std::string name;
  for (const Operation* operation : operations) name += (name.empty() ? "" : " + ") + NameOf(*operation);
  name += " " + KindOf(item.main.header);
  for (const SourceFile& partner : item.partners) name += " + " + KindOf(partner.header);
  Kind& kind = kinds_[name];
  if (!kind.model) kind.model = memory_.Costs({name, "", "host", 1, ImageLibraryVersions()});
  Estimate estimate;
  estimate.formula = formula.total();
  estimate.model = kind.model;
  estimate.alone = watch_all_ || (kind.seen >= kUnwatched && kind.seen < kUnwatched + kMostWatched &&
                                  !kind.model->CanPredict());
  ++kind.seen;
  // What goes through our pools is known exactly; the correction is the libraries'.
  const size_t total = kind.model->PredictFrom(estimate.formula);
  const size_t pooled = std::max(formula.pooled + kRounding, kLeastPooled);
  estimate.need = {pooled, total - std::min(total, formula.pooled)};
  return estimate;
}

}  // namespace imgmill

// The map phase of filter: the signals of each image, recalled, measured, or given by networks.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "commands/embed/embedder.h"
#include "filter_rule.h"
#include "imgmill/commands/command.h"
#include "imgmill/engine/operation.h"
#include "imgmill/signals/signal_set.h"

namespace imgmill {

/// What is known of one image.
struct ImageFacts {
  SignalValues values;
  PhotoTexts texts;
  bool exif_damaged = false;
};

/// What filter keeps of one image; all its signals are in the catalog.
struct FilterEntry {
  ListedFile file;
  FileStamp stamp;
  ContentDigest content;
  std::vector<double> values;      ///< of the signals that are wanted; NaN where there is none
  std::vector<std::string> texts;  ///< in the order of PhotoText, empty where there is none

  template <typename Self, typename Each>
  static void EachField(Self& self, Each& each) {
    each(self.file), each(self.stamp), each(self.content), each(self.values), each(self.texts);
  }
};
using FilterTable = RecordTable<FilterEntry>;

/// Facts of signals in a catalog, under names that carry their versions.
class SignalFacts {
 public:
  /// @param lenient  values of the readable part of broken files are kept apart from those of whole ones.
  SignalFacts(Catalog& catalog, std::span<const Scorer> scorers, bool lenient);
  /// What is wanted beside the signals of the header and of the scorers.
  struct Wanted {
    bool pixels = false;
    bool exif = false;
  };
  /// False if the catalog does not know all of it.
  bool Find(const ContentDigest& content, Wanted wanted, ImageFacts& facts) const;
  Status Put(const ContentDigest& content, Wanted known, const ImageFacts& facts) const;
  /// Whether there can be values of it: of networks, only those that are scorers have any.
  bool Has(const SignalInfo& info) const;

 private:
  std::string PixelFact(const SignalValues& header) const;
  bool FindExif(const ContentDigest& content, ImageFacts& facts) const;

  Catalog& catalog_;
  std::string pixel_fact_;
  std::vector<std::pair<Signal, std::string>> scores_;  ///< and the names of their facts
};

class FilterOperation final : public Operation {
 public:
  /// @param wanted  the signals whose values are kept. If one of them needs the pixels, all
  ///   pixel signals are measured, so that other rules on the same images need no decode; if none does, the
  ///   images are not decoded. EXIF is read where a signal or rule is about it, and beside pixels.
  /// @param scorers  networks that see the same decode. They outlive this.
  /// @param rules  which images are kept, as far as one image alone can say
  /// @param acts   something else is decided after all images, such as where they are
  FilterOperation(const std::vector<Signal>& wanted, bool all_signals, std::span<const Scorer> scorers,
                  const CommandServices& services, std::vector<FilterRule> rules, bool acts);

  Result<ItemPlan> Plan(const Item& item) const override;
  Result<bool> Recall(const Item& item, Outcome& outcome) override;
  Status Prepare() override;
  Result<std::unique_ptr<ItemTask>> Start(const Item& item, const ItemPlan& plan) override;
  Verdict Judge(const Outcome& outcome) const override;
  void Collect(Outcome& outcome) override;

  const SignalFacts& facts() const { return facts_; }
  bool decodes() const { return needs_.pixels; }
  /// Beside pixels it costs next to nothing, and other rules then find it in the catalog.
  bool reads_exif() const { return needs_.pixels || needs_.exif; }
  /// Of all images that did not fail, in order.
  const FilterTable& entries() const { return entries_; }

 private:
  class Task;
  struct FilterPayload;

  std::vector<Signal> wanted_;
  std::span<const Scorer> scorers_;
  SignalFacts::Wanted needs_;
  bool allow_truncated_;
  std::vector<FilterRule> rules_;
  SignalFacts facts_;
  FilterTable entries_;
};

}  // namespace imgmill

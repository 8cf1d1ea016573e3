// Builds the libvips pipeline from a file's colours to grey or sRGB: profiles, CMYK, Lab, HDR and odd depths.
#include "colour.h"

#include "icc_profile.h"
#include "sample_range.h"

namespace imgmill {
namespace {

// Runs a libvips operation `image -> out`, replacing the image in `ref`. False on failure.
template <typename Operation>
bool Apply(ImageRef& ref, Operation&& operation) {
  VipsImage* out = nullptr;
  if (operation(ref.get(), &out) != 0) return false;
  ref = ImageRef(out);
  return true;
}

bool IsDeviceIndependent(VipsInterpretation space) {
  return space == VIPS_INTERPRETATION_LAB || space == VIPS_INTERPRETATION_LABS ||
         space == VIPS_INTERPRETATION_LABQ || space == VIPS_INTERPRETATION_LCH ||
         space == VIPS_INTERPRETATION_XYZ || space == VIPS_INTERPRETATION_YXY;
}

// Samples of 8 or 16 bits or float, over their type's whole range.
bool Normalise(ImageRef& image, const ColourPlan& plan) {
  if (const SampleRange range = RangeOf(image.get()); range.white != 0) {
    image = ToFullRange(image.get(), range);
    return static_cast<bool>(image);
  }
  if (image.get()->BandFmt == VIPS_FORMAT_UINT) {
    return Apply(image, [](VipsImage* in,
                           VipsImage** out) { return vips_linear1(in, out, 1.0 / 65537, 0.5, nullptr); }) &&
           Apply(image, [](VipsImage* in, VipsImage** out) { return vips_cast_ushort(in, out, nullptr); });
  }
  if (plan.sample == Sample::kF32 && image.get()->BandFmt != VIPS_FORMAT_FLOAT) {
    return Apply(image, [](VipsImage* in, VipsImage** out) { return vips_cast_float(in, out, nullptr); });
  }
  return true;
}

constexpr const char* kColourBands = "imgmill-colour-bands";
constexpr const char* kAlphaBand = "imgmill-alpha-band";

struct BandRoles {
  int colours;
  int alpha;
};

std::optional<BandRoles> RolesOf(VipsImage* image) {
  BandRoles roles{};
  if (vips_image_get_typeof(image, kColourBands) == 0 ||
      vips_image_get_int(image, kColourBands, &roles.colours) != 0 ||
      vips_image_get_int(image, kAlphaBand, &roles.alpha) != 0) {
    return std::nullopt;
  }
  return roles;
}

// The first `colours` bands, and `alpha` behind them if it is one.
bool TakeBands(ImageRef& image, int colours, int alpha) {
  ImageRef alpha_band;
  if (alpha >= 0 && vips_extract_band(image.get(), alpha_band.out(), alpha, nullptr) != 0) {
    return false;
  }
  if (!Apply(image, [&](VipsImage* in, VipsImage** out) {
        return vips_extract_band(in, out, 0, "n", colours, nullptr);
      })) {
    return false;
  }
  return !alpha_band || Apply(image, [&](VipsImage* in, VipsImage** out) {
    return vips_bandjoin2(in, alpha_band.get(), out, nullptr);
  });
}

// Floats as 16 bits, white at the most, in place of `image`: lcms sees them so in libvips.
bool ToSixteenBits(ImageRef& image) {
  return Apply(image,
               [](VipsImage* in, VipsImage** out) { return vips_linear1(in, out, 65535, 0.5, nullptr); }) &&
         Apply(image, [](VipsImage* in, VipsImage** out) { return vips_cast_ushort(in, out, nullptr); }) &&
         Apply(image, [](VipsImage* in, VipsImage** out) {
           return vips_copy(in, out, "interpretation",
                            in->Bands < 3 ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16, nullptr);
         });
}

bool ToFloat(ImageRef& image) {
  return Apply(image,
               [](VipsImage* in, VipsImage** out) { return vips_linear1(in, out, 1.0 / 65535, 0, nullptr); });
}

bool FromCmykOrLab(ImageRef& image, const ColourPlan& plan, bool through_profile) {
  const bool wide = plan.sample != Sample::kU8;
  if (through_profile) {
    return Apply(image, [&](VipsImage* in, VipsImage** out) {
      return vips_icc_transform(in, out, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_RELATIVE,
                                "black_point_compensation", TRUE, "depth", wide ? 16 : 8, nullptr);
    });
  }
  return Apply(image, [&](VipsImage* in, VipsImage** out) {
    return vips_colourspace(in, out, wide ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB, nullptr);
  });
}

ProfileSpace SamplesOf(const ColourPlan& plan) {
  if (plan.cmyk) return ProfileSpace::kCmyk;
  return plan.colours == 1 ? ProfileSpace::kGrey : ProfileSpace::kRgb;
}

// Whether the image's profile describes the samples it has; notes what is ignored.
bool ProfileApplies(VipsImage* image, const ColourPlan& plan, bool keep_profile,
                    std::vector<std::string>& notes) {
  const std::vector<uint8_t> profile = BlobOf(image, VIPS_META_ICC_NAME);
  if (profile.empty()) return false;
  if (IsDeviceIndependent(vips_image_guess_interpretation(image))) return false;
  if (SpaceOfProfile(profile) != SamplesOf(plan)) {
    notes.emplace_back("the embedded colour profile does not fit the image and is ignored");
    return false;
  }
  return plan.cmyk || (!keep_profile && !IsPlainSrgb(profile));
}

}  // namespace

ColourPlan PlanColour(VipsImage* image) {
  ColourPlan plan;
  plan.stored_bands = image->Bands;
  const VipsInterpretation space = vips_image_guess_interpretation(image);
  if (image->Coding == VIPS_CODING_RAD) {
    plan.colours = plan.used_bands = 3;
    plan.sample = Sample::kF32;
    plan.linear = true;
    return plan;
  }
  switch (image->BandFmt) {
    case VIPS_FORMAT_UCHAR:
      plan.sample = Sample::kU8;
      break;
    case VIPS_FORMAT_USHORT:
    case VIPS_FORMAT_UINT:
      plan.sample = Sample::kU16;
      break;
    case VIPS_FORMAT_FLOAT:
    case VIPS_FORMAT_DOUBLE:
      plan.sample = Sample::kF32;
      plan.linear = true;
      break;
    default:
      // Lab of 8 and 16 bits comes as signed numbers; other signed and complex samples are measurements.
      if (!IsDeviceIndependent(space)) {
        plan.unsupported = "samples are signed or complex numbers, not light";
        return plan;
      }
      plan.sample = image->BandFmt == VIPS_FORMAT_CHAR ? Sample::kU8 : Sample::kU16;
  }
  const int bands = image->Coding == VIPS_CODING_LABQ ? 3 : image->Bands;
  const std::optional<BandRoles> told = RolesOf(image);
  // What is not told is guessed: the first band behind the colours is alpha.
  const auto with_colours = [&](int stored_colours) {
    const bool guessed = !told || told->colours != stored_colours;
    plan.alpha_band = !guessed ? told->alpha : bands > stored_colours ? stored_colours : -1;
    plan.has_alpha = plan.alpha_band >= 0;
    plan.used_bands = stored_colours + (plan.has_alpha ? 1 : 0);
  };
  if (space == VIPS_INTERPRETATION_CMYK && bands >= 4) {
    plan.cmyk = true;
    plan.colours = 3;
    with_colours(4);
    return plan;
  }
  if (IsDeviceIndependent(space) && bands >= 3) {
    plan.sample = Sample::kU16;
    plan.linear = false;
    plan.colours = 3;
    with_colours(3);
    return plan;
  }
  const bool many = bands > 4;
  if (many && !told && space != VIPS_INTERPRETATION_sRGB && space != VIPS_INTERPRETATION_RGB16) {
    plan.unsupported = "it has " + std::to_string(bands) + " channels, which are not grey, RGB or CMYK";
    return plan;
  }
  plan.colours = told ? (told->colours == 1 ? 1 : 3) : bands <= 2 ? 1 : 3;
  with_colours(plan.colours);
  if (plan.linear && SpaceOfProfile(BlobOf(image, VIPS_META_ICC_NAME)) == SamplesOf(plan))
    plan.linear = false;
  return plan;
}

void NoteBandRoles(VipsImage* image, int colours, int alpha) {
  vips_image_set_int(image, kColourBands, colours);
  vips_image_set_int(image, kAlphaBand, alpha);
}

ImageRef ConvertColour(VipsImage* source, const ColourPlan& plan, bool keep_profile,
                       std::vector<std::string>& notes) {
  ImageRef image(source);
  g_object_ref(source);
  if (image.get()->Coding == VIPS_CODING_RAD) {
    if (!Apply(image, [](VipsImage* in, VipsImage** out) { return vips_rad2float(in, out, nullptr); }))
      return {};
  } else if (image.get()->Coding == VIPS_CODING_LABQ) {
    if (!Apply(image, [](VipsImage* in, VipsImage** out) { return vips_LabQ2LabS(in, out, nullptr); }))
      return {};
  }
  if (image.get()->Bands > plan.used_bands) {
    const int colours = plan.used_bands - (plan.has_alpha ? 1 : 0);
    if (plan.has_alpha && plan.alpha_band > colours) {
      notes.push_back("of " + std::to_string(plan.stored_bands) + " channels the first " +
                      std::to_string(colours) + " are used, and the alpha channel");
    } else {
      notes.push_back("only the first " + std::to_string(plan.used_bands) + " of " +
                      std::to_string(plan.stored_bands) + " channels are used");
    }
    if (!TakeBands(image, colours, plan.alpha_band)) return {};
  }
  const bool independent = IsDeviceIndependent(vips_image_guess_interpretation(image.get()));
  const bool through_profile = ProfileApplies(image.get(), plan, keep_profile, notes);
  if (!independent && !Normalise(image, plan)) return {};
  if (!plan.cmyk && !independent && !through_profile) return image;

  // Alpha takes no part in a conversion of colours; libvips' ideas of its range differ by version.
  ImageRef alpha;
  if (plan.has_alpha) {
    VipsImage* band = nullptr;
    if (vips_extract_band(image.get(), &band, image.get()->Bands - 1, nullptr) != 0) return {};
    alpha = ImageRef(band);
    if (!Apply(image, [](VipsImage* in, VipsImage** out) {
          return vips_extract_band(in, out, 0, "n", in->Bands - 1, nullptr);
        })) {
      return {};
    }
  }
  if (plan.sample == Sample::kF32 && !ToSixteenBits(image)) return {};
  if (!FromCmykOrLab(image, plan, through_profile)) return {};
  if (plan.sample == Sample::kF32 && !ToFloat(image)) return {};
  // Grey through a profile comes out as three equal bands.
  if (image.get()->Bands > plan.colours && !Apply(image, [&](VipsImage* in, VipsImage** out) {
        return vips_extract_band(in, out, plan.colours == 1 ? 1 : 0, "n", plan.colours, nullptr);
      })) {
    return {};
  }
  if (alpha) {
    const VipsBandFormat format = plan.sample == Sample::kU8    ? VIPS_FORMAT_UCHAR
                                  : plan.sample == Sample::kU16 ? VIPS_FORMAT_USHORT
                                                                : VIPS_FORMAT_FLOAT;
    if (!Apply(alpha, [&](VipsImage* in, VipsImage** out) { return vips_cast(in, out, format, nullptr); }) ||
        !Apply(image, [&](VipsImage* in, VipsImage** out) {
          return vips_bandjoin2(in, alpha.get(), out, nullptr);
        })) {
      return {};
    }
  }
  return image;
}

}  // namespace imgmill

#include "h264.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wels/codec_api.h>

#include "convert.h"

struct pf_h264_encoder {
  ISVCEncoder *library;
  SEncParamExt params; /* as last given to the library: only the quantiser ever changes */
  pf_convert_fn *convert;
  pf_measure_fn *measure;
  struct pf_weights weights[2]; /* by enum pf_h264_format: BGRX, RGBX */
  struct pf_planes planes[2];   /* the loaded picture and the one before it */
  uint8_t *memory;              /* both pictures, then the unit */
  uint8_t *unit;
  size_t unit_capacity;
  uint32_t width, height;
  uint32_t current; /* index into planes */
  uint32_t qp_min;  /* of the loaded picture */
  int has_previous, is_loaded;
};

/* The library's own C table leaves out the layer argument that its C++ function reads. */
typedef int force_intra_fn(ISVCEncoder *encoder, bool is_idr, int layer);

uint32_t pf_h264_abi(void) { return PF_H264_ABI; }

static int is_config_valid(const struct pf_h264_config *config) {
  return config->width >= PF_H264_SIDE_MIN && config->width <= PF_H264_SIDE_MAX && config->width % 2 == 0 &&
         config->height >= PF_H264_SIDE_MIN && config->height <= PF_H264_SIDE_MAX && config->height % 2 == 0 &&
         ((config->width + 15) & ~15u) * ((config->height + 15) & ~15u) <= PF_H264_PIXELS_MAX &&
         config->refresh_millihz >= 1000 && config->refresh_millihz <= 1000000 && config->slices >= 1 &&
         config->slices <= PF_H264_SLICES_MAX && config->threads >= 1 && config->threads <= PF_H264_THREADS_MAX &&
         config->reference_frames >= 1 && config->reference_frames <= 4 && config->level_idc >= 10 &&
         config->level_idc <= 52 && config->matrix <= PF_H264_BT709 && config->is_full_range <= 1;
}

static void fill_params(struct pf_h264_encoder *encoder, const struct pf_h264_config *config) {
  SEncParamExt *params = &encoder->params;
  encoder->library[0]->GetDefaultParams(encoder->library, params);
  params->iUsageType = CAMERA_VIDEO_REAL_TIME;
  params->iPicWidth = (int)config->width;
  params->iPicHeight = (int)config->height;
  params->fMaxFrameRate = (float)config->refresh_millihz / 1000.0f;
  /* Every picture is coded with the quantiser we name: the library's own control overshoots without skipping. */
  params->iRCMode = RC_OFF_MODE;
  params->bEnableFrameSkip = false;
  params->iTemporalLayerNum = 1;
  params->iSpatialLayerNum = 1;
  params->iComplexityMode = LOW_COMPLEXITY;
  params->uiIntraPeriod = 0;
  params->iNumRefFrame = (int)config->reference_frames;
  params->eSpsPpsIdStrategy = CONSTANT_ID;
  params->bPrefixNalAddingCtrl = false;
  params->bEnableSSEI = false;
  params->iEntropyCodingModeFlag = 1;
  params->bEnableLongTermReference = false;
  params->iMultipleThreadIdc = (unsigned short)config->threads;
  params->bUseLoadBalancing = false; /* would make the slices, and so the bytes, depend on timing */
  params->bEnableDenoise = false;
  params->bEnableBackgroundDetection = false;
  params->bEnableAdaptiveQuant = false;
  params->bEnableSceneChangeDetect = false; /* an IDR comes when it is asked for */
  params->bEnableFrameCroppingFlag = true;

  SSpatialLayerConfig *layer = &params->sSpatialLayers[0];
  layer->iVideoWidth = params->iPicWidth;
  layer->iVideoHeight = params->iPicHeight;
  layer->fFrameRate = params->fMaxFrameRate;
  layer->uiProfileIdc = PRO_HIGH;
  layer->uiLevelIdc = (ELevelIdc)config->level_idc;
  layer->iDLayerQp = 26;
  layer->sSliceArgument.uiSliceMode = config->slices > 1 ? SM_FIXEDSLCNUM_SLICE : SM_SINGLE_SLICE;
  layer->sSliceArgument.uiSliceNum = config->slices;
  layer->bVideoSignalTypePresent = true;
  layer->uiVideoFormat = VF_UNDEF;
  layer->bFullRange = config->is_full_range != 0;
  layer->bColorDescriptionPresent = true;
  const int is_709 = config->matrix == PF_H264_BT709;
  layer->uiColorPrimaries = is_709 ? CP_BT709 : CP_SMPTE170M;
  layer->uiTransferCharacteristics = is_709 ? TRC_BT709 : TRC_SMPTE170M;
  layer->uiColorMatrix = is_709 ? CM_BT709 : CM_SMPTE170M;
}

/* Strides are multiples of 32 so that rows start aligned. */
static int allocate(struct pf_h264_encoder *encoder) {
  const size_t uv_stride = ((size_t)encoder->width / 2 + 31) & ~(size_t)31;
  const size_t y_stride = 2 * uv_stride;
  const size_t y_size = y_stride * encoder->height, uv_size = uv_stride * (encoder->height / 2);
  const size_t picture_size = y_size + 2 * uv_size;
  encoder->unit_capacity = picture_size + 65536;
  encoder->memory = calloc(1, 2 * picture_size + encoder->unit_capacity);
  if (encoder->memory == NULL) return 0;
  for (int i = 0; i < 2; i++) {
    uint8_t *start = encoder->memory + (size_t)i * picture_size;
    encoder->planes[i] = (struct pf_planes){.y = start,
                                            .u = start + y_size,
                                            .v = start + y_size + uv_size,
                                            .y_stride = y_stride,
                                            .uv_stride = uv_stride};
  }
  encoder->unit = encoder->memory + 2 * picture_size;
  return 1;
}

static int start_library(struct pf_h264_encoder *encoder, const struct pf_h264_config *config) {
  if (WelsCreateSVCEncoder(&encoder->library) != 0 || encoder->library == NULL) return PF_H264_ELIBRARY;
  int quiet = WELS_LOG_QUIET;
  encoder->library[0]->SetOption(encoder->library, ENCODER_OPTION_TRACE_LEVEL, &quiet);
  fill_params(encoder, config);
  if (encoder->library[0]->InitializeExt(encoder->library, &encoder->params) != cmResultSuccess) {
    return PF_H264_ELIBRARY;
  }
  int format = videoFormatI420;
  encoder->library[0]->SetOption(encoder->library, ENCODER_OPTION_DATAFORMAT, &format);
  return PF_H264_OK;
}

int32_t pf_h264_open(const struct pf_h264_config *config, size_t config_len, struct pf_h264_encoder **out) {
  if (out == NULL) return PF_H264_EINVAL;
  *out = NULL;
  if (config == NULL || config_len != sizeof *config || !is_config_valid(config)) return PF_H264_EINVAL;
  struct pf_h264_encoder *encoder = calloc(1, sizeof *encoder);
  if (encoder == NULL) return PF_H264_ENOMEM;
  encoder->width = config->width;
  encoder->height = config->height;
  encoder->convert = pf_convert_pick();
  encoder->measure = pf_measure_pick();
  pf_weights_init(&encoder->weights[PF_H264_BGRX], PF_H264_BGRX, config->matrix, config->is_full_range);
  pf_weights_init(&encoder->weights[PF_H264_RGBX], PF_H264_RGBX, config->matrix, config->is_full_range);
  const int32_t status = allocate(encoder) ? start_library(encoder, config) : PF_H264_ENOMEM;
  if (status != PF_H264_OK) {
    pf_h264_close(encoder);
    return status;
  }
  *out = encoder;
  return PF_H264_OK;
}

static uint64_t needed_size(const struct pf_h264_picture *picture) {
  const uint64_t stride = picture->stride, rows = picture->height;
  if (picture->format != PF_H264_I420) return stride * (rows - 1) + 4ull * picture->width;
  return stride * rows + 2 * ((stride + 1) / 2) * ((rows + 1) / 2);
}

static int is_picture_valid(const struct pf_h264_encoder *encoder, const struct pf_h264_picture *picture) {
  if (picture->data == NULL || picture->format > PF_H264_I420) return 0;
  if (picture->width < encoder->width || picture->width > encoder->width + 1) return 0;
  if (picture->height < encoder->height || picture->height > encoder->height + 1) return 0;
  const uint64_t row = picture->format == PF_H264_I420 ? picture->width : 4ull * picture->width;
  return picture->stride >= row && picture->stride <= 1u << 20 && picture->data_len >= needed_size(picture);
}

static void copy_rows(uint8_t *target, size_t target_stride, const uint8_t *source, size_t source_stride,
                      size_t row_size, uint32_t rows) {
  for (uint32_t y = 0; y < rows; y++) memcpy(target + y * target_stride, source + y * source_stride, row_size);
}

static void copy_i420(const struct pf_h264_encoder *encoder, const struct pf_h264_picture *picture,
                      const struct pf_planes *to) {
  const size_t chroma_stride = ((size_t)picture->stride + 1) / 2;
  const uint8_t *u = picture->data + (size_t)picture->stride * picture->height;
  const uint8_t *v = u + chroma_stride * ((picture->height + 1) / 2);
  copy_rows(to->y, to->y_stride, picture->data, picture->stride, encoder->width, encoder->height);
  copy_rows(to->u, to->uv_stride, u, chroma_stride, encoder->width / 2, encoder->height / 2);
  copy_rows(to->v, to->uv_stride, v, chroma_stride, encoder->width / 2, encoder->height / 2);
}

/*
 * The size of a unit follows from the ratio of local contrast to quantiser step. Pictures of nothing but noise, uniform
 * or black and white, take at most 0.75 bytes a pixel at a ratio of 3; where noise covers a part, less.
 */
static uint32_t lowest_quantiser(const struct pf_h264_complexity *complexity) {
  const double contrast = (double)complexity->intra / complexity->samples;
  /* Quantiser 4 has step 1, and six more double it. */
  const double qp = contrast > 3.0 ? ceil(4.0 + 6.0 * log2(contrast / 3.0)) : 0.0;
  return qp > PF_H264_QP_MIN ? (uint32_t)qp : PF_H264_QP_MIN;
}

int32_t pf_h264_load(struct pf_h264_encoder *encoder, const struct pf_h264_picture *picture, size_t picture_len,
                     struct pf_h264_complexity *complexity, size_t complexity_len) {
  if (encoder == NULL || picture == NULL || picture_len != sizeof *picture || complexity == NULL ||
      complexity_len != sizeof *complexity || !is_picture_valid(encoder, picture)) {
    return PF_H264_EINVAL;
  }
  /* A loaded picture that was never coded is not what the next one is predicted from. */
  if (!encoder->is_loaded) encoder->current ^= 1;
  const struct pf_planes *now = &encoder->planes[encoder->current];
  const struct pf_planes *before = &encoder->planes[encoder->current ^ 1];
  if (picture->format == PF_H264_I420) {
    copy_i420(encoder, picture, now);
  } else {
    encoder->convert(&encoder->weights[picture->format], picture->data, picture->stride, now, encoder->width,
                     encoder->height);
  }
  encoder->measure(now->y, encoder->has_previous ? before->y : NULL, now->y_stride, encoder->width, encoder->height,
                   complexity);
  encoder->qp_min = complexity->qp_min = lowest_quantiser(complexity);
  encoder->is_loaded = 1;
  return PF_H264_OK;
}

static int32_t set_quantiser(struct pf_h264_encoder *encoder, int qp) {
  if (encoder->params.sSpatialLayers[0].iDLayerQp == qp) return PF_H264_OK;
  encoder->params.sSpatialLayers[0].iDLayerQp = qp;
  /* The library resets itself, with an IDR, only when a size, slice, reference or profile field differs. */
  const int status =
      encoder->library[0]->SetOption(encoder->library, ENCODER_OPTION_SVC_ENCODE_PARAM_EXT, &encoder->params);
  return status == cmResultSuccess ? PF_H264_OK : PF_H264_ELIBRARY;
}

/* The NAL units lie in one buffer per layer; gather them. */
static int32_t gather(struct pf_h264_encoder *encoder, const SFrameBSInfo *info, struct pf_h264_unit *unit) {
  size_t size = 0;
  for (int i = 0; i < info->iLayerNum; i++) {
    const SLayerBSInfo *layer = &info->sLayerInfo[i];
    size_t layer_size = 0;
    for (int n = 0; n < layer->iNalCount; n++) layer_size += (size_t)layer->pNalLengthInByte[n];
    if (layer_size > encoder->unit_capacity - size) return PF_H264_ETOOBIG;
    memcpy(encoder->unit + size, layer->pBsBuf, layer_size);
    size += layer_size;
  }
  if (size == 0) return PF_H264_ELIBRARY;
  *unit = (struct pf_h264_unit){
      .data = encoder->unit, .size = (uint32_t)size, .is_idr = info->eFrameType == videoFrameTypeIDR};
  return PF_H264_OK;
}

int32_t pf_h264_encode(struct pf_h264_encoder *encoder, uint32_t qp, uint32_t is_idr_wanted,
                       struct pf_h264_unit *unit, size_t unit_len) {
  if (encoder == NULL || is_idr_wanted > 1 || unit == NULL || unit_len != sizeof *unit) return PF_H264_EINVAL;
  if (!encoder->is_loaded) return PF_H264_EORDER;
  if (qp < encoder->qp_min || qp > PF_H264_QP_MAX) return PF_H264_EINVAL;
  const int32_t status = set_quantiser(encoder, (int)qp);
  if (status != PF_H264_OK) return status;
  if (is_idr_wanted) {
    force_intra_fn *force = (force_intra_fn *)(void (*)(void))encoder->library[0]->ForceIntraFrame;
    if (force(encoder->library, true, -1) != cmResultSuccess) return PF_H264_ELIBRARY;
  }
  const struct pf_planes *planes = &encoder->planes[encoder->current];
  SSourcePicture source = {.iColorFormat = videoFormatI420,
                           .iStride = {(int)planes->y_stride, (int)planes->uv_stride, (int)planes->uv_stride, 0},
                           .pData = {planes->y, planes->u, planes->v, NULL},
                           .iPicWidth = (int)encoder->width,
                           .iPicHeight = (int)encoder->height};
  SFrameBSInfo info = {0};
  if (encoder->library[0]->EncodeFrame(encoder->library, &source, &info) != cmResultSuccess ||
      info.eFrameType == videoFrameTypeSkip || info.eFrameType == videoFrameTypeInvalid) {
    return PF_H264_ELIBRARY;
  }
  encoder->is_loaded = 0;
  encoder->has_previous = 1;
  return gather(encoder, &info, unit);
}

void pf_h264_close(struct pf_h264_encoder *encoder) {
  if (encoder == NULL) return;
  if (encoder->library != NULL) {
    encoder->library[0]->Uninitialize(encoder->library);
    WelsDestroySVCEncoder(encoder->library);
  }
  free(encoder->memory);
  free(encoder);
}
